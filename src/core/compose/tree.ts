import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node as YamlNode,
  parseDocument,
  type Document,
  visit,
} from 'yaml'

/** A place in the text, both counted from 1. */
export type At = { line: number; column: number }

/** Something that cannot be had: where, what (`services.web.privileged`), and why in a sentence. */
export type Problem = At & { key: string; why: string }

export type Entry = { key: string; at: At; value: Node }

/** YAML as it was written, with the place of everything. A scalar stays the text that it is: `1.0` is no number yet. */
export type Node =
  | { is: 'map'; at: At; entries: Entry[] }
  | { is: 'list'; at: At; items: Node[] }
  | { is: 'text'; at: At; text: string }
  | { is: 'null'; at: At }

/** Values in all, aliases followed, and levels: what is more is no composition but an attack on its reader. */
const mostValues = 10_000
const deepest = 24
const mostAliases = 100

class TooMuch extends Error {
  override readonly name = 'TooMuch'
}

/** Reads one YAML 1.2 document. Aliases and merge keys are followed, within a bound. @returns undefined and why */
export function readTree(text: string): { root: Node | undefined; problems: Problem[] } {
  const lineCounter = new LineCounter()
  const at = (offset: number | undefined): At => {
    const { line, col } = lineCounter.linePos(offset ?? 0)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const refused = (why: string, where: At = { line: 1, column: 1 }) => ({
    root: undefined,
    problems: [{ ...where, key: '', why }],
  })
  const tooMuch = () =>
    refused(`It holds more than ${mostValues} values with its aliases followed, or more than ${deepest} levels.`)
  // Each that is out of place is an error of its own, which takes longer than a value does.
  if ((text.match(/[[\]{},]/g)?.length ?? 0) > mostValues) return tooMuch()
  let document: Document.Parsed
  try {
    document = parseDocument(text, {
      ...{ lineCounter, prettyErrors: false, merge: false, strict: true, logLevel: 'silent' },
      // Each key is compared with all others there; below it is looked up.
      uniqueKeys: false,
    })
  } catch (error) {
    if (error instanceof RangeError) return refused('It is nested too deeply.')
    throw error
  }
  const wrong = [...document.errors, ...document.warnings]
  if (wrong.length > 0)
    return {
      root: undefined,
      problems: wrong.slice(0, 20).map((error) => ({
        ...at(error.pos[0]),
        key: '',
        why: `This is not YAML that can be read: ${error.message.split('\n')[0]!.slice(0, 200).replace(/[.:]$/, '')}.`,
      })),
    }

  let values = 0
  const twice = new Map<string, Problem>()
  const targets = new Map<YamlNode, YamlNode | undefined>()
  const open = new Set<YamlNode>()

  function read(node: YamlNode | null, parent: At, depth: number): Node {
    if (++values > mostValues || depth > deepest) throw new TooMuch()
    const here = node?.range ? at(node.range[0]) : parent
    if (isAlias(node)) {
      const target = targets.get(node)
      if (!target || open.has(target)) throw new TooMuch()
      return place(read(target, here, depth + 1), here)
    }
    if (isScalar(node)) {
      if (node.value === null) return { is: 'null', at: here }
      const plain = node.type === 'PLAIN' && typeof node.source === 'string'
      return { is: 'text', at: here, text: plain ? node.source! : String(node.value as string | number | boolean) }
    }
    if (node) open.add(node)
    try {
      if (isSeq(node))
        return { is: 'list', at: here, items: node.items.map((item) => read(item as YamlNode | null, here, depth + 1)) }
      if (isMap(node)) return { is: 'map', at: here, entries: entriesOf(node, here, depth) }
      return { is: 'null', at: here }
    } finally {
      if (node) open.delete(node)
    }
  }

  function entriesOf(node: Extract<YamlNode, { items: unknown }>, here: At, depth: number): Entry[] {
    const keys = new Set<string>()
    const own: Entry[] = []
    const merged: Entry[] = []
    for (const pair of node.items as { key: YamlNode; value: YamlNode | null }[]) {
      const keyed = read(pair.key, here, depth + 1)
      const value = read(pair.value, keyed.at, depth + 1)
      const key = keyed.is === 'text' ? keyed.text : ''
      if (keys.has(key))
        twice.set(`${keyed.at.line}:${keyed.at.column}`, { ...keyed.at, key, why: 'It is there twice.' })
      keys.add(key)
      if (key !== '<<') own.push({ key, at: keyed.at, value })
      // https://yaml.org/type/merge.html: the map's own keys come first, then earlier ones of a list.
      else
        for (const map of value.is === 'list' ? value.items : [value]) if (map.is === 'map') merged.push(...map.entries)
    }
    const known = new Set(own.map(({ key }) => key))
    for (const entry of merged) {
      if (known.has(entry.key)) continue
      known.add(entry.key)
      own.push(entry)
    }
    return own
  }

  try {
    findTargets(document, targets)
    if (targets.size > mostAliases) return refused(`It holds more than ${mostAliases} aliases.`)
    const root = read(document.contents as YamlNode | null, { line: 1, column: 1 }, 0)
    return twice.size > 0 ? { root: undefined, problems: [...twice.values()].slice(0, 20) } : { root, problems: [] }
  } catch (error) {
    if (error instanceof TooMuch || error instanceof RangeError) return tooMuch()
    throw error
  }
}

/** What each alias stands for: the last before it that has that anchor. YAML 1.2.2, section 7.1. */
function findTargets(document: Document.Parsed, targets: Map<YamlNode, YamlNode | undefined>): void {
  const anchors = new Map<string, YamlNode>()
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) targets.set(node, anchors.get(node.source))
      else if (node.anchor) anchors.set(node.anchor, node as YamlNode)
    },
  })
}

/** What an alias stands for is told of where the alias is. */
const place = (node: Node, at: At): Node => ({ ...node, at })
