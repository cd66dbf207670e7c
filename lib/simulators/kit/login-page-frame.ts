import { html } from 'hono/html'

type Markup = ReturnType<typeof html>

/**
 * What every page of a simulated broker or a simulated phone stands in: nobody must take it for a broker's own page,
 * nor for one of ours. Always light, with a striped border and the banner on top.
 */
export function simulatedPage(title: string, content: Markup, status = 200): Response {
  const body = html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}</title>
    <style>
      :root { color-scheme: only light; font: 1rem/1.5 Georgia, serif }
      body { margin: 0; background: #fff6d6; color: #221a00 }
      header { padding: 0.75rem 1rem; background: #221a00; color: #ffd84d; font: 700 1rem/1.4 monospace; text-align: center }
      main { max-width: 24rem; margin: 1.5rem auto; padding: 0.5rem 1rem 1.5rem; border: 0.5rem dashed #8a6d00 }
      label { display: block; margin: 1rem 0 0.25rem }
      select, input, button { box-sizing: border-box; width: 100%; min-height: 2.75rem; padding: 0.5rem; font: inherit }
      button { margin-top: 1rem }
      [role='alert'], [role='status'] { padding: 0.5rem 0.75rem; border: 2px solid }
    </style>
  </head>
  <body>
    <header>SIMULATED BROKER — nothing here is real</header>
    <main>
      <h1>${title}</h1>
      ${content}
    </main>
  </body>
</html>`
  return new Response(String(body), {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
  })
}
