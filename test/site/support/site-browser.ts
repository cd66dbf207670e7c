import type { Hono } from 'hono'

/** What a browser holds after one request. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Where it is told to go. */
  readonly location: string | undefined
}

export interface Form {
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
  readonly button: string
}

/** A browser without scripts in front of the site: keeps cookies, follows links, presses buttons. */
export class SiteBrowser {
  readonly cookies = new Map<string, string>()
  readonly #app: Hono
  readonly #siteUrl: string

  constructor(app: Hono, siteUrl: string) {
    this.#app = app
    this.#siteUrl = siteUrl
  }

  get(address: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.request('GET', address, { headers })
  }

  /** A form as browsers post it from a page that sends no referrer. */
  post(
    address: string,
    fields: Readonly<Record<string, string>>,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const body = new URLSearchParams(fields).toString()
    return this.request('POST', address, {
      body,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'null',
        'sec-fetch-site': 'same-origin',
        ...headers,
      },
    })
  }

  async request(method: string, address: string, init: RequestInit): Promise<Reply> {
    const url = new URL(address, this.#siteUrl)
    const headers = new Headers({ accept: 'text/html', host: new URL(this.#siteUrl).host })
    for (const [name, value] of Object.entries(init.headers ?? {})) headers.set(name, value)
    if (this.cookies.size > 0 && !headers.has('cookie')) {
      headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '))
    }
    const reply = await this.#app.request(url.href, { ...init, method, headers })
    for (const cookie of reply.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      this.cookies.set(name, value)
    }
    const location = reply.headers.get('location') ?? undefined
    return { status: reply.status, headers: reply.headers, text: await reply.text(), location }
  }

  /** Presses the button whose words begin so. */
  async press(page: Reply, words: string): Promise<Reply> {
    const form = formsOf(page.text).find(({ button }) => button.startsWith(words))
    if (!form) throw new Error(`no button "${words}" on: ${textOf(page.text)}`)
    return this.post(form.action, form.fields)
  }

  /** Follows redirects within the site; `address` may be the broker's redirect back. */
  async follow(address: string | undefined): Promise<Reply> {
    let next = address
    for (let step = 0; step < 5 && next !== undefined; step++) {
      const reply = await this.get(next)
      if (reply.location === undefined) return reply
      next = reply.location
    }
    throw new Error(`these redirects end nowhere, last at ${next}`)
  }
}

/** Where a real request to a simulated broker is redirected to. */
export async function redirectOf(url: string | undefined): Promise<string> {
  // Upstox' edge turns away what does not look like a browser.
  const reply = await fetch(url ?? '', { redirect: 'manual', headers: { 'user-agent': 'Mozilla/5.0' } })
  const location = reply.headers.get('location')
  if (location === null) throw new Error(`no redirect but ${reply.status}: ${await reply.text()}`)
  return location
}

export function formsOf(page: string): readonly Form[] {
  return [...page.matchAll(/<form method="post" action="([^"]*)">([\s\S]*?)<\/form>/g)].map(
    ([, action = '', inner = '']) => {
      const inputs = [...inner.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)]
      const fields = Object.fromEntries(inputs.map(([, name = '', value = '']) => [name, unescaped(value)]))
      const button = /<button[^>]*>([\s\S]*?)<\/button>/.exec(inner)?.[1] ?? ''
      return { action: unescaped(action), fields, button: unescaped(button) }
    },
  )
}

export function linksOf(page: string): readonly string[] {
  return [...page.matchAll(/ href="([^"]*)"/g)].map(([, href = '']) => unescaped(href))
}

/** What is to be read on a page, without its head. */
export function textOf(page: string): string {
  const body = page.slice(page.indexOf('<main>'))
  return unescaped(body.replace(/<[^>]+>/g, ' '))
    .replace(/\s+/g, ' ')
    .replace(/ ([.,:])/g, '$1')
    .trim()
}

function unescaped(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}
