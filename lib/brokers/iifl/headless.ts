import { BrokerUnavailableError, ConfigurationError, TokenkeeperError } from '../../model/errors.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import type { BrokerContext } from '../../ports/broker/broker-context.ts'
import { ILLEGAL_KEY, TOTP_REFUSED } from './errors.ts'
import type { HeadlessVariant } from './headless-variant.ts'
import { headlessVariantA } from './variant-a.ts'
import { headlessVariantB } from './variant-b.ts'

/** Which of the two undocumented logins works today is uncertain; B is the newer one (README, Uncertain). */
const IIFL_HEADLESS_VARIANT = 'B'
const VARIANTS: Readonly<Record<string, HeadlessVariant>> = { A: headlessVariantA, B: headlessVariantB }

/**
 * Logs in with password and one-time code, and returns the auth code. The password is sent once, and once
 * more only where IIFL could not decrypt it. One-time codes are sent at most twice, each of a new time step;
 * it waits for such a step. Throws the errors of lib/model/errors.ts.
 */
export async function headlessAuthCode(context: BrokerContext): Promise<Secret> {
  const variant = variantOf(context)
  let keys = await counting(false, () => variant.exchangeKeys(context))
  const stepToken = await withOneRepeat([ILLEGAL_KEY], async (refusal) => {
    if (refusal === ILLEGAL_KEY) keys = await variant.exchangeKeys(context)
    return variant.sendPassword(context, keys)
  })
  context.accepted('password')
  return afterPassword(async () => {
    const totpToken = await withOneRepeat([ILLEGAL_KEY, ...TOTP_REFUSED], async (refusal) => {
      // The code is made first: waiting for a new time step can outlast a key.
      const code = await context.totp(context.secret('totp_secret'))
      if (refusal === ILLEGAL_KEY) keys = await variant.exchangeKeys(context)
      return variant.sendTotp(context, keys, stepToken, code)
    })
    return variant.authCode(context, totpToken)
  })
}

/**
 * Runs a step after the password was sent: a passing fault counts against the login budget even if IIFL did
 * not see this step.
 */
export function afterPassword<T>(step: () => Promise<T>): Promise<T> {
  return counting(true, step)
}

function variantOf({ settings }: BrokerContext): HeadlessVariant {
  const name = settings.options?.['headlessVariant'] ?? IIFL_HEADLESS_VARIANT
  const variant = Object.hasOwn(VARIANTS, name) ? VARIANTS[name] : undefined
  if (variant) return variant
  throw new ConfigurationError('the option headlessVariant of this account is neither A nor B', {
    fix: `set it to A or B, or leave it out for ${IIFL_HEADLESS_VARIANT}`,
  })
}

/**
 * Repeats `step` once where it was refused with one of the codes, which is passed to it. A second refusal is
 * thrown.
 */
async function withOneRepeat<T>(
  codes: readonly string[],
  step: (refusal: string | undefined) => Promise<T>,
): Promise<T> {
  try {
    return await step(undefined)
  } catch (error) {
    const code = error instanceof TokenkeeperError ? error.brokerCode : undefined
    if (code === undefined || !codes.includes(code)) throw error
    return step(code)
  }
}

/**
 * Makes a passing fault of `step` count against the login budget, or not. It counts as soon as the password
 * was sent.
 */
async function counting<T>(counts: boolean, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    if (!(error instanceof BrokerUnavailableError) || error.sent === counts) throw error
    const { message, fix, brokerCode, cause } = error
    throw new BrokerUnavailableError(message, { fix, sent: counts, cause, ...(brokerCode && { brokerCode }) })
  }
}
