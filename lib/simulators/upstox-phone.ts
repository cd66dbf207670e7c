import type { Hono } from 'hono'
import { html } from 'hono/html'
import type { SimulatorEnv } from './simulator.ts'
import type { UpstoxSimulator } from './upstox-simulator.ts'

export const PHONE_PATH = '/simulated-phone'

/** The account holder's phone: what the Upstox app asks them. A rejection is silent, as at Upstox (sheet section 3.4). */
export function addSimulatedPhone(app: Hono<SimulatorEnv>, simulator: UpstoxSimulator): void {
  app.get(PHONE_PATH, () => page(simulator))
  app.post(PHONE_PATH, async (context) => {
    const form = new URLSearchParams(await context.req.text())
    const approved = form.get('decision') === 'approve'
    simulator.approvalPending = false
    if (approved) await simulator.approve(form.get('user') ?? '')
    return page(simulator, approved ? 'Approved.' : 'Rejected.')
  })
}

function page(simulator: UpstoxSimulator, said?: string): Response {
  const { people, approvalPending, client } = simulator
  const body = html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Your phone (simulated)</title>
    <style>
      :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
      main { max-width: 22rem; margin: 2rem auto; padding: 1rem; border: 0.25rem solid; border-radius: 1.5rem }
      label { display: block; margin: 1rem 0 0.25rem }
      select, button { box-sizing: border-box; width: 100%; min-height: 2.75rem; padding: 0.5rem; font: inherit }
      button { margin-top: 1rem }
    </style>
  </head>
  <body>
    <main>
      <h1>Your phone (simulated)</h1>
      ${said ? html`<p role="status">${said}</p>` : ''}
      ${
        approvalPending
          ? html`<p>Upstox asks: may the app ${client.clientId} trade for you today?</p>
      <form method="post" action="${PHONE_PATH}">
        <label for="user">Whose phone</label>
        <select id="user" name="user">
          ${people.map(({ userId, name }) => html`<option value="${userId}">${name} (${userId})</option>`)}
        </select>
        <button name="decision" value="approve">Approve</button>
        <button name="decision" value="reject">Reject</button>
      </form>`
          : html`<p>Nothing to approve. <a href="${PHONE_PATH}">Look again</a></p>`
      }
    </main>
  </body>
</html>`
  return new Response(String(body), {
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
  })
}
