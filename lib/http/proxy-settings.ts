import { ConfigurationError } from '../model/errors.ts'

/** The proxy of a network, in the words of its environment variables; an empty text is none. */
export interface ProxySettings {
  /** For https. */
  readonly httpsProxy: string
  /** For plain http. */
  readonly httpProxy: string
  /** Hosts that are reached without: `broker.example,.internal,10.0.0.7:8080`, or `*`. */
  readonly noProxy: string
}

/** What can carry a call (undici's ProxyAgent). */
const SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:', 'socks5:', 'socks:'])

/**
 * `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, or the same in lower case, which is stronger, as for curl. A proxy
 * without a scheme is spoken to over http. Throws ConfigurationError that names the variable and never its value, which
 * may hold a password.
 */
export function proxySettings(environment: Readonly<Record<string, string | undefined>>): ProxySettings {
  const proxy = (name: string): string => {
    const [variable, text] = variableOf(name, environment)
    if (text === '') return ''
    const address = text.includes('://') ? text : `http://${text}`
    if (URL.canParse(address) && SCHEMES.has(new URL(address).protocol)) return address
    throw new ConfigurationError(`${variable} is no address of a proxy`, {
      fix: `write it as http://host:port, or unset ${variable}`,
    })
  }
  const [, noProxy] = variableOf('NO_PROXY', environment)
  return { httpsProxy: proxy('HTTPS_PROXY'), httpProxy: proxy('HTTP_PROXY'), noProxy }
}

function variableOf(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): readonly [variable: string, text: string] {
  const lower = name.toLowerCase()
  const value = environment[lower]
  return value === undefined ? [name, environment[name]?.trim() ?? ''] : [lower, value.trim()]
}
