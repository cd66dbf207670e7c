import type { Secret } from '../../model/secrets/secret.ts'
import type { BrokerContext } from '../../ports/broker/broker-context.ts'
import type { EnvelopeKeys } from './envelope.ts'

/** One way through IIFL's encrypted login; each step is one attempt. */
export interface HeadlessVariant {
  readonly exchangeKeys: (context: BrokerContext) => Promise<EnvelopeKeys>
  /** Sends the password; returns the token for the next step. */
  readonly sendPassword: (context: BrokerContext, keys: EnvelopeKeys) => Promise<Secret>
  /** Sends the one-time code; returns what {@link HeadlessVariant.authCode} takes. */
  readonly sendTotp: (
    context: BrokerContext,
    keys: EnvelopeKeys,
    stepToken: Secret,
    code: string,
  ) => Promise<Secret>
  readonly authCode: (context: BrokerContext, totpToken: Secret) => Promise<Secret>
}
