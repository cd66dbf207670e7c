import { text as readAll } from 'node:stream/consumers'
import { Temporal } from 'temporal-polyfill'
import { coverage } from '../../accounts/receipt.ts'
import { sessionOf } from '../../markets/session.ts'
import type { AccountId } from '../../model/account-id.ts'
import { newAccountState } from '../../model/account-state.ts'
import { ConfigurationError } from '../../model/errors.ts'
import { isPlausibleToken } from '../../model/secrets/plausible.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import { SECRET_NAMES, type SecretName } from '../../model/secrets/secret-name.ts'
import { localInstant } from '../../model/time/local-time.ts'
import { unknownAccount } from '../../model/unknown-account.ts'
import { storedValue } from '../../ports/token-vault.ts'
import { adoptAccessToken } from '../../tokens/service/adopt.ts'
import { slipIn } from '../../tokens/service/handed-in.ts'
import { type Composition, compose } from '../backend/composition.ts'
import type { EnabledBroker, GlobalOptions } from '../backend/setting.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import { askHidden } from '../terminal/prompts.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { UsageError } from '../terminal/usage-error.ts'
import { accountArgument, brokerFor } from './account-arguments.ts'
import { chosenOrStored } from './chosen-accounts.ts'

/**
 * `tokenkeeper put`: stores one value, from a hidden prompt or from stdin, never from the command line, which other
 * users of the machine can read. An access token is proven first. Throws UsageError, TokenkeeperError.
 */
export async function put(
  text: string,
  name: string,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<number> {
  const asked = accountArgument(text)
  const composition = await compose(options, terminal)
  try {
    const broker = brokerFor(asked, composition)
    const known = knownName(broker, name)
    const [account = asked] = await chosenOrStored({ accounts: [asked] }, composition)
    const value = await valueFor(account, known, terminal)
    const told =
      known === 'access_token'
        ? await adopt(broker, account, value, composition)
        : await store(broker, account, known, value, composition)
    if (terminal.json) terminal.object({ success: true, account, name: known, ...told.details })
    else terminal.print(told.sentence)
    return EXIT.ok
  } finally {
    await composition.close()
  }
}

interface Told {
  readonly sentence: string
  readonly details: Readonly<Record<string, unknown>>
}

function knownName({ broker }: EnabledBroker, name: string): SecretName {
  const names = SECRET_NAMES.filter(
    (one) => one === 'access_token' || broker.credentials.some((field) => field.name === one),
  )
  const found = names.find((one) => one === name)
  if (found) return found
  throw new UsageError(
    `${broker.displayName} has no value called "${name.slice(0, 40)}"`,
    `use one of ${names.join(', ')}`,
  )
}

/** White space at the ends is never part of a value; a file or an echo adds a line's end. */
async function valueFor(account: AccountId, name: SecretName, terminal: Terminal): Promise<Secret> {
  const given = process.stdin.isTTY
    ? await askHidden(`${name} of ${account} (not shown while you type or paste)`)
    : await readAll(process.stdin)
  const value = given.trim()
  if (value === '')
    throw new UsageError(
      'no value was given',
      `pipe it in, or type it where nobody sees it: tokenkeeper put ${account} ${name}`,
    )
  if (terminal.verbose) terminal.note(`read ${value.length} characters`)
  return storedValue(name, value)
}

async function adopt(
  { broker }: EnabledBroker,
  account: AccountId,
  accessToken: Secret,
  { ports }: Composition,
): Promise<Told> {
  const slip = slipIn(accessToken)
  if (slip)
    throw new UsageError(`this is no token as it stands: ${slip.what}`, `${slip.fix}, and put it again`)
  if (!isPlausibleToken(accessToken)) {
    throw new UsageError('what was handed in is no token', 'copy it again: one word of 8 to 8192 characters')
  }
  const result = await adoptAccessToken({ broker, account, accessToken }, ports)
  const { userID, clientName, tokenValidity } = result
  const owner = clientName ?? userID
  const expiresAt = tokenValidity === null ? undefined : Temporal.Instant.from(tokenValidity)
  const until = expiresAt ? `, valid until ${localInstant(expiresAt, broker.session.timeZone)}` : ''
  const { settings } = (await ports.states.get(account)) ?? newAccountState(account)
  const covers = expiresAt && coverage(sessionOf(broker, settings), expiresAt, ports.clock.now())
  const proven = `${account}: proven live${owner ? ` for ${owner}` : ''} and published${until}`
  return {
    sentence: covers ? `${proven}. ${covers.sentence}` : proven,
    details: { userID, clientName, tokenValidity, ...(covers && { coversSession: covers.covers }) },
  }
}

async function store(
  { broker }: EnabledBroker,
  account: AccountId,
  name: SecretName,
  value: Secret,
  { ports }: Composition,
): Promise<Told> {
  const problem = broker.credentials.find((field) => field.name === name)?.problem?.(value.reveal())
  if (problem !== undefined) {
    throw new ConfigurationError(`this ${name} was not stored: ${problem}`, {
      fix: 'check what you copied, and put it again',
    })
  }
  if ((await ports.states.get(account)) === undefined) throw unknownAccount(account)
  await ports.vault.write(account, name, value)
  return { sentence: `${account}: ${name} stored; the next run uses it`, details: {} }
}
