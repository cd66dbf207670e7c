import { delimiter, join } from 'node:path'
import type { ClientToken } from '../../client/sources/token-source.ts'
import { nameOf } from '../../model/account-id.ts'
import { INSTALLATION } from '../backend/installation.ts'
import { UsageError } from '../terminal/usage-error.ts'

type Variables = Readonly<Record<string, string | undefined>>

const SINGLE = ['TOKENKEEPER_ACCESS_TOKEN', 'TOKENKEEPER_AUTHORIZATION', 'TOKENKEEPER_EXPIRES_AT'] as const
/** What opens more than one account's token is ours alone; the second may hold a password. */
const OURS = ['TOKENKEEPER_API_KEY', 'TOKENKEEPER_REDIS_URL']
/** What the launcher puts in front of PATH for itself: a command must find its owner's node. */
const OUR_TOOLS = join(INSTALLATION, 'node_modules', '.bin')

/** `POS_CONNECTOR_ACCESS_TOKEN` for pos-connector; `IIFL_28748327_SESSION`. */
export function variableName(parts: readonly string[], what: 'ACCESS_TOKEN' | 'SESSION'): string {
  return [...parts, what].map((part) => part.toUpperCase().replace(/[^A-Z0-9]/g, '_')).join('_')
}

/** Companions as JSON that single quotes enclose, too. */
export function sessionText({ session }: ClientToken): string | undefined {
  return session?.reveal().replaceAll("'", '\\u0027')
}

/** When it dies, ISO 8601 in this zone. */
export function expiryText({ expiresAt }: ClientToken, timeZone: string): string | undefined {
  return expiresAt?.toString({ timeZone, smallestUnit: 'second' })
}

export interface ZonedToken {
  readonly token: ClientToken
  /** The broker's. */
  readonly timeZone: string
}

/**
 * The variables a command gets for its accounts. A broker's own name goes to its default account, else to the one
 * named first; with several of one broker each has its own besides. Throws UsageError when two accounts would get the
 * same name.
 */
export function tokenVariables(given: readonly ZonedToken[]): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  const owners = new Map<string, string>()
  const set = (token: ClientToken, parts: readonly string[]): void => {
    const name = variableName(parts, 'ACCESS_TOKEN')
    const owner = owners.get(name)
    if (owner !== undefined && owner !== token.account) {
      throw new UsageError(
        `${owner} and ${token.account} would both be ${name}`,
        'run the command for one of them, or give one another name',
      )
    }
    owners.set(name, token.account)
    variables.set(name, token.accessToken.reveal())
    const session = sessionText(token)
    if (session !== undefined) variables.set(variableName(parts, 'SESSION'), session)
  }
  for (const [broker, tokens] of Map.groupBy(
    given.map(({ token }) => token),
    (token) => token.broker,
  )) {
    const [first] = tokens
    const standard = tokens.find(({ account }) => nameOf(account) === undefined) ?? first
    if (standard) set(standard, [broker])
    if (tokens.length === 1) continue
    for (const token of tokens) {
      const name = nameOf(token.account)
      if (name !== undefined) set(token, [broker, name])
    }
  }
  const [only] = given
  if (only && given.length === 1) {
    const { token, timeZone } = only
    const values = [token.accessToken.reveal(), token.authorization?.reveal(), expiryText(token, timeZone)]
    SINGLE.forEach((name, index) => {
      const value = values[index]
      if (value !== undefined) variables.set(name, value)
    })
  }
  return variables
}

/** The environment of a command: ours without our own secrets and without what an outer `exec` has put there. */
export function commandEnvironment(env: Variables, given: readonly ZonedToken[]): NodeJS.ProcessEnv {
  const variables = tokenVariables(given)
  const stale = given.flatMap(({ token: { broker, account } }) => {
    const name = nameOf(account)
    return [[broker], ...(name === undefined ? [] : [[broker, name]])].map((parts) =>
      variableName(parts, 'SESSION'),
    )
  })
  const dropped = new Set<string>([...OURS, ...SINGLE, ...stale])
  const kept = Object.entries(env).filter(([name]) => !dropped.has(name) && !isLaunchersCache(name, env))
  const own = Object.fromEntries(kept)
  const path = env['PATH']?.split(delimiter).filter((folder) => folder !== OUR_TOOLS)
  return { ...own, ...(path && { PATH: path.join(delimiter) }), ...Object.fromEntries(variables) }
}

function isLaunchersCache(name: string, env: Variables): boolean {
  return name === 'NODE_COMPILE_CACHE' && env[name] === join(INSTALLATION, 'node_modules', '.cache', 'node')
}
