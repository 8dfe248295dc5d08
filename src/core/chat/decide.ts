import type { Action } from '../reply/reply.ts'

/** What somebody asks for who is not a member yet. */
export const membership = 'membership'

/** What an admin can press about an open request. */
export const decisions = ({ id, thing }: { id: string; thing: string }): Action[] => [
  ...(thing === membership
    ? [{ label: 'Approve', line: `approve ${id}` }]
    : [
        { label: 'Approve for 4 h', line: `approve ${id} --for 4h` },
        { label: 'Approve for 1 d', line: `approve ${id} --for 1d` },
      ]),
  { label: 'Deny', line: `deny ${id}` },
]
