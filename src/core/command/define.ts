import type { z } from 'zod'
import type { Actor, Person } from '../model/person.ts'
import type { Reply } from '../reply/reply.ts'
import type { Context } from './context.ts'
import type { Intent, Intents } from './intents.ts'
import type { KindName, Kinds } from './kinds.ts'

/**
 * What a command needs of its caller. `look`, `enter`, `operate` and `own` are about a container: they are what its
 * container arguments are resolved by, and all that sharing can ever give is told apart here.
 */
export type Need = 'anyone' | 'member' | 'look' | 'enter' | 'operate' | 'own' | 'admin'

/** One argument. Written order is positional order; `flag` makes it `--name` instead. */
export type Arg = {
  kind: KindName
  /** One sentence, for help, chat clients and OpenAPI alike. */
  about: string
  /** What stands for its value in the usage line, where neither its kind nor its name would do. */
  word?: string
  optional?: true
  default?: string | number | boolean
  /** The values of a choice. */
  of?: readonly string[]
  /** Given as `--name VALUE`; kind `flag` always is. */
  flag?: true
  /** One letter: `-p`. */
  short?: string
  /** May be given several times; `run` gets a list. */
  many?: true
  /** One target each: the door runs the command once for every value, and records each. */
  each?: true
  /** Everything after `--`, word by word. */
  rest?: true
  /** All words that follow, flags too, as one line of another command. */
  raw?: true
  /** Never logged nor recorded: a key, a secret. */
  secret?: true
  /** Never typed on a line, where it would stay: from a form, standard input or JSON. */
  hidden?: true
}

export type Args = Record<string, Arg>

type One<A extends Arg> = A extends { of: readonly (infer V)[] } ? V : Kinds[A['kind']]
type Given<A extends Arg> = A extends { each: true }
  ? One<A>
  : A extends { many: true } | { rest: true }
    ? One<A>[]
    : A extends { optional: true; default?: undefined }
      ? One<A> | undefined
      : One<A>

/** What `run` receives for `args`: things, not names. */
export type ArgsOf<T extends Args> = { [K in keyof T]: Given<T[K]> }

/** What a command hands to the door when it changes the world: the door stores it before anything happens. */
export type Begin<K extends Intent = Intent> = { begin: K; input: Intents[K] }

/** A member who is known: what every command but those for `anyone` is called by. */
export type Caller = Actor & { person: Person }

/** A question; `adds` are flags that the call which confirms it has beside those of the first, in the place of --yes. */
export type Question = string | { question: string; adds: Record<string, true> }

/**
 * A command: the one value from which parser, help, chat menus, HTTP routes, OpenAPI, permission check, audit row and
 * lock are read. A command that does not say what it `needs` does not compile.
 */
export type Command<T extends Args = Args> = {
  /** What lists what it has made, for who gives it nothing. */
  lists?: string
  /** Words as typed: `ps`, `user add`. */
  name: string
  /** Other spellings that people will type. */
  aliases?: readonly string[]
  /** One sentence. */
  about: string
  /** The word under which help lists it, given by the list of commands. */
  topic?: string
  /** Lines that work, for help. */
  examples?: readonly string[]
  needs: Need
  /**
   * Whether anything is different afterwards: POST, recorded, Idempotency-Key. `rights`: among that is who may do what,
   * so that neither a narrowed token nor a hook may ever use it.
   */
  changes: boolean | 'rights'
  /** Its `run` changes nothing itself and hands over an operation: a dry run goes as far as admission. */
  begins?: true
  /** Recorded even though it changes nothing: an admin's view of others, a secret shown. */
  records?: true
  /** It is about more than the containers that are named to it: no token that is for some containers may use it. */
  beyond?: true
  /** Somebody in a chat whom DCM does not know may use it; they may use nothing else. */
  strangers?: true
  /** Takes or gives a stream of bytes beside its arguments; unless it `begins`, each call of it is carried out anew. */
  streams?: true
  /** What it takes is one file, such as chats send; its name comes with it as `name`. */
  file?: true
  /** Its answer is for the caller alone. */
  private?: true
  args: T
  /** Schema of the Reply's `data`. */
  gives?: z.ZodType
  /** What to confirm before it runs, or undefined when these arguments need none. */
  confirms?(args: ArgsOf<T>, context: Context): Question | undefined | Promise<Question | undefined>
  /** What `--dry-run` answers, where naming the targets is not enough. */
  preview?(args: ArgsOf<T>, context: Context): Promise<Reply>
  run(args: ArgsOf<T>, context: Context): Promise<Reply | Begin>
}

/** States a command. The identity function: it exists so that `run`'s arguments are inferred from `args`. */
export const defineCommand = <const T extends Args>(command: Command<T>): Command => command as unknown as Command

/** Hands a change to the door. */
export const begin = <K extends Intent>(kind: K, input: Intents[K]): Begin<K> => ({ begin: kind, input })
