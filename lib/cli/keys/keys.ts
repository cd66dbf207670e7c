import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import { type ApiKey, newApiKey, objectionTo, SCOPES, type Scope } from '../../model/api-key.ts'
import { localInstant } from '../../model/time/local-time.ts'
import { accountArgument } from '../accounts/account-arguments.ts'
import { chosenAccounts } from '../accounts/chosen-accounts.ts'
import { type Composition, compose } from '../backend/composition.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import type { Style, Terminal } from '../terminal/terminal.ts'
import { textTable } from '../terminal/text-table.ts'
import { UsageError } from '../terminal/usage-error.ts'

const LONGEST_NAME = 80
const HOURS_IN: Readonly<Record<string, number>> = { h: 1, d: 24, w: 7 * 24 }
/** A key that lives longer than this may as well have no end, and saying so is more honest. */
const LONGEST_LIFE_DAYS = 3_660
const STYLES: Readonly<Record<'active' | 'expired' | 'revoked', Style>> = {
  active: 'green',
  expired: 'yellow',
  revoked: 'dim',
}

export interface CreateKeyOptions extends GlobalOptions {
  readonly name?: string
  /** Each may hold several with commas between them. */
  readonly scope?: readonly string[]
  readonly account?: readonly string[]
  readonly allAccounts?: boolean
  /** Such as 90d. @default - no end */
  readonly expires?: string
}

/**
 * `tokenkeeper keys create`: makes an API key. The key itself is on stdout, once and nowhere else; what there is to
 * say about it is on stderr. What it may do has to be said: no scope and no account is taken for granted.
 * Throws UsageError, StateStoreError.
 */
export async function createKey(options: CreateKeyOptions, terminal: Terminal): Promise<number> {
  const wish = {
    name: nameOf(options.name),
    scopes: scopesOf(options.scope ?? []),
    lifeHours: options.expires === undefined ? undefined : hoursIn(options.expires),
    accounts: accountsOf(options),
  }
  return composed(options, terminal, async (composition) => {
    const { ports, apiKeys } = composition
    const { accounts } = wish
    const known = accounts && (await chosenAccounts({ accounts, all: false }, composition))
    const createdAt = ports.clock.now()
    const { text, key } = newApiKey({
      name: wish.name,
      scopes: wish.scopes,
      createdAt,
      ...(known && { accounts: known.map(({ state }) => state.account) }),
      ...(wish.lifeHours !== undefined && { expiresAt: createdAt.add({ hours: wish.lifeHours }) }),
    })
    await apiKeys.create(key)
    if (terminal.json) {
      terminal.object({ success: true, key: text, ...shown(key, createdAt) })
    } else {
      terminal.print(text)
      terminal.note(`This is the only time the key is shown. ${sentenceOf(key)}`)
    }
    return EXIT.ok
  })
}

/** `tokenkeeper keys list`: every key there was, without the keys themselves. Throws StateStoreError. */
export async function listKeys(options: GlobalOptions, terminal: Terminal): Promise<number> {
  return composed(options, terminal, async ({ ports, apiKeys }) => {
    const now = ports.clock.now()
    const all = await apiKeys.list()
    if (terminal.json) {
      terminal.object({ keys: all.map((key) => shown(key, now)) })
      return EXIT.ok
    }
    if (all.length === 0) {
      terminal.note(
        'There is no API key. To make one: tokenkeeper keys create --name my-program --scope status --all-accounts',
      )
      return EXIT.ok
    }
    const rows = all.map((key) => {
      const state = stateOf(key, now)
      return [
        key.id,
        key.name,
        { text: state, style: STYLES[state] },
        key.scopes.join(' '),
        key.expiresAt ? localInstant(key.expiresAt, 'UTC') : 'never',
        key.accounts?.join(' ') ?? 'all accounts',
      ]
    })
    terminal.print(textTable(['Id', 'Name', 'State', 'Scopes', 'Expires', 'Accounts'], rows, terminal))
    return EXIT.ok
  })
}

/** `tokenkeeper keys revoke`: ends a key for good; from the next request on it opens nothing. Throws UsageError, StateStoreError. */
export async function revokeKey(id: string, options: GlobalOptions, terminal: Terminal): Promise<number> {
  return composed(options, terminal, async ({ ports, apiKeys }) => {
    const now = ports.clock.now()
    const revoked = await apiKeys.revoke(id, now)
    if (!revoked) {
      throw new UsageError(
        `there is no key with the id "${id.slice(0, 20)}"`,
        'take the id from tokenkeeper keys list; it is the part between tk_ and the next underscore',
      )
    }
    if (terminal.json) terminal.object({ success: true, ...shown(revoked, now) })
    else terminal.print(`${revoked.id} (${revoked.name}) is revoked.`)
    return EXIT.ok
  })
}

function nameOf(text = ''): string {
  const name = text.trim()
  if (name !== '' && name.length <= LONGEST_NAME && !/\p{Cc}/u.test(name)) return name
  throw new UsageError(
    `a key needs a name of up to ${LONGEST_NAME} characters`,
    'say which program it is for: --name "order bot"',
  )
}

function scopesOf(texts: readonly string[]): readonly Scope[] {
  const asked = texts.flatMap((text) => text.split(',')).map((text) => text.trim())
  const stranger = asked.find((text) => !SCOPES.some((scope) => scope === text))
  if (asked.length === 0 || stranger !== undefined) {
    throw new UsageError(
      stranger === undefined ? 'a key needs at least one scope' : `"${stranger.slice(0, 40)}" is no scope`,
      `add --scope with what the program needs of ${SCOPES.join(', ')}; none implies another`,
    )
  }
  return SCOPES.filter((scope) => asked.includes(scope))
}

/** `undefined` for all accounts, which has to be said. */
function accountsOf({ account, allAccounts }: CreateKeyOptions): readonly AccountId[] | undefined {
  if (account && allAccounts) {
    throw new UsageError('--account and --all-accounts exclude each other', 'leave one of them out')
  }
  if (account) return [...new Set(account.map(accountArgument))]
  if (allAccounts) return undefined
  throw new UsageError(
    'it must be said which accounts the key is for',
    'add --account for each, or --all-accounts for all there are and will be',
  )
}

function hoursIn(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,5})([hdw])$/.exec(text) ?? []
  const hours = Number(count) * (HOURS_IN[unit] ?? 0)
  if (hours > 0 && hours <= LONGEST_LIFE_DAYS * 24) return hours
  throw new UsageError(
    `"${text.slice(0, 20)}" is no time after which a key can expire`,
    'write hours, days or weeks, at most ten years: 12h, 90d, 4w',
  )
}

function stateOf(key: ApiKey, now: Temporal.Instant): keyof typeof STYLES {
  return objectionTo(key, now) ?? 'active'
}

/** What is on record of a key, without its hash. */
function shown(key: ApiKey, now: Temporal.Instant): Readonly<Record<string, unknown>> {
  const { hash: _, accounts = null, expiresAt = null, revokedAt = null, ...rest } = key
  return { ...rest, accounts, expiresAt, revokedAt, state: stateOf(key, now) }
}

function sentenceOf({ id, scopes, accounts, expiresAt }: ApiKey): string {
  const reach = accounts ? accounts.join(', ') : 'all accounts'
  const end = expiresAt ? `until ${localInstant(expiresAt, 'UTC')}` : 'until it is revoked'
  return `It opens ${scopes.join(', ')} of ${reach}, ${end}: tokenkeeper keys revoke ${id}`
}

async function composed(
  options: GlobalOptions,
  terminal: Terminal,
  work: (composition: Composition) => Promise<number>,
): Promise<number> {
  const composition = await compose(options, terminal)
  try {
    return await work(composition)
  } finally {
    await composition.close()
  }
}
