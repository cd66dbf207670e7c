/**
 * tokenkeeper/client: a program's way to live access tokens. Choose a source, create a client, and call the broker
 * with `client.fetch`:
 *
 *     const source = restSource({ url: 'https://keeper.example', apiKey, account: 'upstox/ACC1' })
 *     const client = createClient({ source })
 *     await client.getToken({ until: 'close' })
 *     const profile = await (await client.fetch('/v2/user/profile')).json()
 */
export { Secret } from '../model/secret.ts'
export type { CallInit } from './call.ts'
export type { BodyFactory, CallBody } from './call-body.ts'
export { type ClientOptions, createClient, type TokenkeeperClient, type TokenWish } from './client.ts'
export {
  type CallCode,
  CallError,
  type ClientActor,
  TokenUnavailableError,
  type UnavailableCode,
} from './errors.ts'
export { type LocalHomeOptions, openLocalSource } from './local-home.ts'
export { type LocalSourceOptions, localSource } from './local-source.ts'
export type { NewTokenListener } from './new-token-listeners.ts'
export type { DownloadedPdf } from './pdf-download.ts'
export {
  type Invoice,
  PosConnectorClient,
  type PosConnectorOptions,
  type PosConnectorPaths,
  type SubmittedInvoice,
  type WriteOptions,
} from './pos-connector-client.ts'
export { type PosConnectorCode, PosConnectorError } from './pos-connector-error.ts'
export type { Reply } from './reply.ts'
export { type RestSourceOptions, restSource } from './rest-source.ts'
export { type RefreshEvent, type SsmSourceOptions, ssmSource } from './ssm-source.ts'
export type { ClientToken, TokenSource } from './token-source.ts'
