import { SIMULATED_CODE } from '../../lib/simulators/kit/login-page.ts'

/** What no simulated broker takes for a program. */
const HEADERS = { 'user-agent': 'Mozilla/5.0 (simulated person)', accept: 'text/html' }
const MOST_REDIRECTS = 10

interface Form {
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

/** A browser without scripts over real HTTP: cookies, redirects, forms. */
export class WebBrowser {
  url = 'about:blank'
  status = 0
  text = ''
  /** All on 127.0.0.1, where cookies are for every port. */
  readonly #cookies = new Map<string, string>()

  async open(address: string): Promise<this> {
    return this.#load(address, {})
  }

  /** The address a click on this page's form leads to, without going there. */
  async whereTo(action: RegExp, fields: Readonly<Record<string, string>> = {}): Promise<string> {
    const reply = await this.#send(...this.#posting(action, fields))
    return new URL(reply.headers.get('location') ?? 'about:blank', this.url).href
  }

  async submit(action: RegExp, fields: Readonly<Record<string, string>> = {}): Promise<this> {
    return this.#load(...this.#posting(action, fields))
  }

  /** At a simulated broker's login page: the first user it offers, or the one named, with the second factor. */
  async logIn(user?: string): Promise<this> {
    return this.submit(/./, answers(user))
  }

  #posting(action: RegExp, fields: Readonly<Record<string, string>>): [string, RequestInit] {
    const form = this.forms().find((one) => action.test(one.action))
    if (!form) throw new Error(`no form for ${action} on ${this.url}:\n${this.text}`)
    const body = new URLSearchParams({ ...form.fields, ...fields })
    return [new URL(form.action, this.url).href, { method: 'POST', body }]
  }

  /** Each with what it would send: hidden fields, and the first option of a list. */
  forms(): readonly Form[] {
    return [...this.text.matchAll(/<form method="post" action="([^"]*)">(.*?)<\/form>/gs)].map(
      ([, action = '', inner = '']) => {
        const hidden = [...inner.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
        const fields = Object.fromEntries(
          hidden.map(([, name = '', value = '']) => [plain(name), plain(value)]),
        )
        const user = /<option value="([^"]*)"/.exec(inner)?.[1]
        return { action: plain(action), fields: { ...fields, ...(user !== undefined && { user }) } }
      },
    )
  }

  async #load(address: string, init: RequestInit): Promise<this> {
    let next = address
    let request = init
    for (let hop = 0; hop < MOST_REDIRECTS; hop++) {
      const reply = await this.#send(next, request)
      this.url = next
      this.status = reply.status
      this.text = await reply.text()
      const location = reply.headers.get('location')
      if (location === null) return this
      next = new URL(location, next).href
      request = {}
    }
    throw new Error(`too many redirects at ${next}`)
  }

  async #send(address: string, init: RequestInit): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const reply = await fetch(address, { ...init, headers: { ...HEADERS, cookie }, redirect: 'manual' })
    for (const line of reply.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      this.#cookies.set(name, value)
    }
    return reply
  }
}

/** What is typed into a simulated broker's login page. */
function answers(user?: string): Record<string, string> {
  return { code: SIMULATED_CODE, decision: 'approve', ...(user !== undefined && { user }) }
}

function plain(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&')
}
