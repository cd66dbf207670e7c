import { Agent, fetch, type Response } from 'undici'
import type { Output } from './deployment-secrets.ts'

/** More redirects than a login has. */
const MOST_REDIRECTS = 6
/** An account's name or a date in the middle of a signed value. */
const LONGEST_INNOCENT_PART = 20
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

/** A page as the browser ended up with it. */
export interface Shown {
  readonly url: string
  readonly status: number
  readonly html: string
  readonly headers: Response['headers']
}

interface Form {
  readonly action: string
  readonly html: string
  readonly fields: Readonly<Record<string, string>>
}

/**
 * A browser without scripts: cookies, redirects, forms. Every name it is given is this machine, which is where the
 * emulated API Gateway and the simulated brokers are, whatever the resolver thinks of `*.localhost`.
 */
export class Browser {
  /** Every address it went to, in order, queries and all. */
  readonly visited: string[] = []
  /** Every page it was shown. */
  readonly pages: Output[] = []
  readonly #agent = new Agent({
    connect: { lookup: (_host, _options, found) => found(null, [{ address: '127.0.0.1', family: 4 }]) },
  })
  readonly #cookiesSet: string[] = []
  readonly #cookies = new Map<string, Map<string, string>>()

  /** The addresses brokers sent it back to, with codes and states in their queries. */
  callbacks(): readonly string[] {
    return [...new Set(this.visited.filter((url) => url.includes('/callback/')))]
  }

  /** States, cookies and form tokens of its whole life, and what they are made of, by names that may be shown. */
  secrets(owner: string): Readonly<Record<string, string>> {
    const states = this.callbacks().map((url) => new URL(url).searchParams.get('state') ?? '')
    const forms = this.pages.flatMap(({ text }) => formsOf(text))
    const tokens = forms.flatMap(({ fields }) => fields['token'] ?? [])
    return {
      ...numbered(`${owner} state`, parts(states)),
      ...numbered(`${owner} cookie`, parts(this.#cookiesSet)),
      ...numbered(`${owner} form token`, parts(tokens)),
    }
  }

  /** Opens an address and follows where it leads. */
  async open(url: string): Promise<Shown> {
    return this.#go(url, { method: 'GET' })
  }

  /** Presses the button of a page whose form goes to an action of this end, with more fields filled in. */
  async press(
    page: Shown,
    actionEnd: string,
    filledIn: Readonly<Record<string, string>> = {},
  ): Promise<Shown> {
    const form = formsOf(page.html).find(({ action }) => action.endsWith(actionEnd))
    if (!form) throw new Error(`${page.url} has no form that goes to ${actionEnd}: ${mainPart(page.html)}`)
    return this.#go(new URL(form.action, page.url).href, {
      method: 'POST',
      headers: { origin: new URL(page.url).origin, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...form.fields, ...filledIn }).toString(),
    })
  }

  async close(): Promise<void> {
    await this.#agent.close()
  }

  async #go(
    from: string,
    request: { method: string; headers?: Record<string, string>; body?: string },
  ): Promise<Shown> {
    let url = from
    let next = request
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      this.visited.push(url)
      const headers = { accept: 'text/html', ...next.headers, ...this.#cookieHeader(url) }
      const reply = await fetch(url, { ...next, headers, redirect: 'manual', dispatcher: this.#agent })
      this.#keepCookies(url, reply)
      const html = await reply.text()
      const location = reply.headers.get('location')
      if (location === null) {
        this.pages.push({ where: `the page ${url.split('?')[0]}`, text: html })
        return { url, status: reply.status, html, headers: reply.headers }
      }
      url = new URL(location, url).href
      next = { method: 'GET' }
    }
    throw new Error(`${from} leads in circles`)
  }

  #cookieHeader(url: string): Record<string, string> {
    const jar = this.#cookies.get(new URL(url).host)
    return jar ? { cookie: [...jar].map((pair) => pair.join('=')).join('; ') } : {}
  }

  #keepCookies(url: string, reply: Response): void {
    const { host } = new URL(url)
    for (const cookie of reply.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      this.#cookiesSet.push(value)
      this.#cookies.set(host, (this.#cookies.get(host) ?? new Map()).set(name, value))
    }
  }
}

/** The forms of a page with what they carry unseen. */
function formsOf(html: string): readonly Form[] {
  return [...html.matchAll(/<form[^>]* action="([^"]*)"[^>]*>(.*?)<\/form>/gs)].map(
    ([, action = '', inner = '']) => ({
      action: text(action),
      html: inner,
      fields: Object.fromEntries(
        [...inner.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(
          ([, name = '', value = '']) => [text(name), text(value)],
        ),
      ),
    }),
  )
}

/** Values by a name and their number. */
export function numbered(name: string, values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(values.map((value, index) => [`${name} number ${index + 1}`, value]))
}

/** Values and what they are made of, as far as that is long enough to be a secret of its own. */
function parts(values: readonly string[]): readonly string[] {
  const all = values.flatMap((value) => [value, ...value.split('.')])
  return [...new Set(all)].filter(({ length }) => length > LONGEST_INNOCENT_PART)
}

/** A page without its head. */
function mainPart(html: string): string {
  return /<main>.*<\/main>/s.exec(html)?.[0] ?? html
}

function text(escaped: string): string {
  return escaped.replace(/&(\w+|#39);/g, (entity, name: string) => ENTITIES[name] ?? entity)
}
