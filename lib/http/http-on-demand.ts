import type { Http } from '../ports/http.ts'
import type { ProxySettings } from './proxy-settings.ts'

/**
 * HTTP whose library is loaded by the first request: a run that finds all tokens fresh, and most commands, make none.
 *
 * @default proxy - that of the program's environment, read by the first request, which throws ConfigurationError where
 * that is none
 */
export function httpOnDemand(proxy?: ProxySettings): Http & { close(): Promise<void> } {
  let loading: Promise<Http & { close(): Promise<void> }> | undefined
  return {
    async send(request) {
      loading ??= import('./undici-http.ts').then(({ undiciHttp }) => undiciHttp(proxy))
      return (await loading).send(request)
    },
    async close() {
      await (await loading)?.close()
    },
  }
}
