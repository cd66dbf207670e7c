import { createHmac } from 'node:crypto'
import type { Secret } from '../../model/secrets/secret.ts'
import type { BrokerContext } from '../../ports/broker/broker-context.ts'
import { apiUrl, askFor, askIifl } from './call.ts'
import { type EnvelopeKeys, sealEnvelope } from './envelope.ts'
import type { HeadlessVariant } from './headless-variant.ts'
import { exchangeKeys } from './key-exchange.ts'

/** The names by which the web portal identifies itself (README, Unattended login). */
const APP = { appName: 'IIFLMARKETSWEB', osName: 'WEBINTERNAL' } as const
const VERSION = 'A.0.0.1'
const IDAAS = '/v2/access'

/**
 * Variant B of the README, Unattended login: the web portal's single sign-on, with password and TOTP
 * encrypted both ways, then the app's consent.
 */
export const headlessVariantB: HeadlessVariant = {
  async exchangeKeys(context: BrokerContext): Promise<EnvelopeKeys> {
    const json = { vendor: context.secret('client_id').reveal() }
    await askIifl(context, { step: 'keys', url: apiUrl(context, '/sso/vendor/details'), json })
    return exchangeKeys(context, idaasUrl(context, '/get/encKey'))
  },

  async sendPassword(context: BrokerContext, keys: EnvelopeKeys): Promise<Secret> {
    const userId = context.secret('user_id').reveal()
    const password = context.secret('password').reveal()
    const payload = { userId, password, deviceId: deviceIdOf(context), versionNo: VERSION, ...APP }
    const json = { cEncData: sealEnvelope(payload, keys) }
    const question = { step: 'password', url: idaasUrl(context, '/pwd/validate'), json, keys } as const
    return (await askFor(context, question, ['result.token', 'result.0.token', 'token'])).text
  },

  async sendTotp(
    context: BrokerContext,
    keys: EnvelopeKeys,
    stepToken: Secret,
    totp: string,
  ): Promise<Secret> {
    const userId = context.secret('user_id').reveal()
    const json = { cEncData: sealEnvelope({ userId, totp, deviceId: deviceIdOf(context), ...APP }, keys) }
    // "topt" is IIFL's own spelling.
    const question = {
      step: 'totp',
      url: idaasUrl(context, '/topt/verify'),
      json,
      bearer: stepToken,
      keys,
    } as const
    return (await askFor(context, question, ['result.accessToken', 'result.0.accessToken', 'accessToken']))
      .text
  },

  async authCode(context: BrokerContext, totpToken: Secret): Promise<Secret> {
    const json = { userId: context.secret('user_id').reveal(), vendor: context.secret('client_id').reveal() }
    const question = {
      step: 'authorize',
      url: apiUrl(context, '/sso/vendor/authorize'),
      json,
      bearer: totpToken,
    } as const
    return (await askFor(context, question, ['authCode', 'result.authCode', 'result.0.authCode'])).text
  },
}

/**
 * The device id that IIFL sees. It looks random, differs per account, and stays the same without being
 * stored. It is keyed by the TOTP secret: that is random, so the id does not help to guess it (as it would
 * for a password), and it changes only when a person enrols an authenticator anew, which is a new device
 * anyway.
 */
export function deviceIdOf(context: Pick<BrokerContext, 'secret'>): string {
  const userId = context.secret('user_id').reveal().toUpperCase()
  const key = context.secret('totp_secret').reveal()
  return createHmac('sha256', key).update(`tokenkeeper iifl deviceId ${userId}`).digest('hex').slice(0, 32)
}

function idaasUrl(context: BrokerContext, path: string): string {
  return context.host('IIFL_IDAAS') + IDAAS + path
}
