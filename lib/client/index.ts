/**
 * tokenkeeper/client: a program's way to live access tokens. Choose a source, create a client, and call the broker
 * with `client.fetch`:
 *
 *     const source = restSource({ url: 'https://keeper.example', apiKey, account: 'upstox/ACC1' })
 *     const client = createClient({ source })
 *     await client.getToken({ until: 'close' })
 *     const profile = await (await client.fetch('/v2/user/profile')).json()
 */
export { Secret } from '../model/secrets/secret.ts'
export type { CallInit } from './calls/call.ts'
export type { BodyFactory, CallBody } from './calls/call-body.ts'
export type { Reply } from './calls/reply.ts'
export { type ClientOptions, createClient, type TokenkeeperClient, type TokenWish } from './client.ts'
export {
  type CallCode,
  CallError,
  type ClientActor,
  TokenUnavailableError,
  type UnavailableCode,
} from './errors.ts'
export type { NewTokenListener } from './new-token-listeners.ts'
export type { DownloadedPdf } from './pos/pdf-download.ts'
export {
  type Invoice,
  PosConnectorClient,
  type PosConnectorOptions,
  type PosConnectorPaths,
  type SubmittedInvoice,
  type WriteOptions,
} from './pos/pos-connector-client.ts'
export { type PosConnectorCode, PosConnectorError } from './pos/pos-connector-error.ts'
export { type LocalHomeOptions, openLocalSource } from './sources/local-home.ts'
export { type LocalSourceOptions, localSource } from './sources/local-source.ts'
export { type RestSourceOptions, restSource } from './sources/rest-source.ts'
export { type RefreshEvent, type SsmSourceOptions, ssmSource } from './sources/ssm-source.ts'
export type { ClientToken, TokenSource } from './sources/token-source.ts'
