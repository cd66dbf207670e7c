import type { Secret } from '../../model/secrets/secret.ts'
import type { BrokerContext } from '../../ports/broker/broker-context.ts'
import { apiUrl, askFor } from './call.ts'
import { type EnvelopeKeys, sealEnvelope } from './envelope.ts'
import type { HeadlessVariant } from './headless-variant.ts'
import { exchangeKeys } from './key-exchange.ts'

/** IIFL is said to need time to associate the keys; whether that is so is uncertain (README, Uncertain). */
const IIFL_KEY_SETTLE_MS = 10_000

/**
 * Variant A of the README, Unattended login: one encrypted call on the API host, plain replies, and the auth
 * code straight from the TOTP step.
 */
export const headlessVariantA: HeadlessVariant = {
  async exchangeKeys(context: BrokerContext): Promise<EnvelopeKeys> {
    const keys = await exchangeKeys(context, apiUrl(context, '/get/enckey'))
    await context.clock.sleep(IIFL_KEY_SETTLE_MS)
    return keys
  },

  async sendPassword(context: BrokerContext, keys: EnvelopeKeys): Promise<Secret> {
    const clientId = context.secret('user_id').reveal()
    const password = context.secret('password').reveal()
    const json = { cEncData: sealEnvelope({ clientId, password }, keys) }
    const question = { step: 'password', url: apiUrl(context, '/validatepassword'), json, keys } as const
    return (await askFor(context, question, ['result.token', 'result.0.token', 'token'])).text
  },

  /** Sent in clear; the only step with the app key. */
  async sendTotp(
    context: BrokerContext,
    keys: EnvelopeKeys,
    stepToken: Secret,
    totp: string,
  ): Promise<Secret> {
    const clientId = context.secret('user_id').reveal()
    const json = { clientId, totp, appKey: context.secret('client_id').reveal() }
    const question = {
      step: 'totp',
      url: apiUrl(context, '/validatetotp'),
      json,
      bearer: stepToken,
      keys,
    } as const
    return (await askFor(context, question, ['result.authCode', 'result.0.authCode', 'authCode'])).text
  },

  authCode: async (_context: BrokerContext, authCode: Secret): Promise<Secret> => authCode,
}
