import type { Hono } from 'hono'
import { html } from 'hono/html'
import { localInstant } from '../../model/time/local-time.ts'
import { simulatedPage } from '../kit/login-page-frame.ts'
import type { SimulatorEnv } from '../kit/simulator.ts'
import type { OpenApprovals } from './approvals.ts'
import type { UpstoxApp } from './behaviour.ts'
import type { UpstoxUser } from './replies.ts'

/** What the phone needs of the broker whose app is on it. */
interface UpstoxApprovals {
  readonly client: UpstoxApp
  readonly people: readonly UpstoxUser[]
  readonly approvals: OpenApprovals
  approve(userId: string): Promise<readonly number[]>
}

const PATH = '/simulated-phone'
const ZONE = 'Asia/Kolkata'

/**
 * The account holder's phone: what the Upstox app asks them. A rejection is silent, as at Upstox
 * (lib/brokers/upstox/README.md, Approval).
 */
export function addSimulatedPhone(app: Hono<SimulatorEnv>, simulator: UpstoxApprovals): void {
  app.get(PATH, () => page(simulator))
  app.post(PATH, async (context) => page(simulator, await answered(simulator, await context.req.text())))
}

/** Does what was tapped, and says it. */
async function answered(simulator: UpstoxApprovals, body: string): Promise<string> {
  const form = new URLSearchParams(body)
  const user = form.get('user') ?? ''
  const approves = form.get('decision') === 'approve'
  if (approves && !simulator.people.some(({ userId }) => userId === user)) return 'There is no such user.'
  if (approves && simulator.client.notifierUrl === undefined) {
    return 'Not approved: the app has no notifier URL, so nobody would get the token.'
  }
  if (!simulator.approvals.answer(form.get('request') ?? '')) return 'This request is not open any more.'
  if (!approves) return 'Rejected. Upstox tells nobody.'
  try {
    const statuses = await simulator.approve(user)
    return `Approved. The app’s notifier answered ${statuses.join(', ')}.`
  } catch {
    return 'Approved, but the app’s notifier URL could not be reached.'
  }
}

function page(simulator: UpstoxApprovals, said?: string): Response {
  const { people, approvals, client } = simulator
  const requests = approvals.open.map(
    ({ id, askedAt, openUntil }) => html`<section>
        <h2>Asked ${localInstant(askedAt, ZONE)}</h2>
        <p>May the app ${client.clientId} trade for you? Open until ${localInstant(openUntil, ZONE)}.</p>
        <form method="post" action="${PATH}">
          <input type="hidden" name="request" value="${id}" />
          <label for="user-${id}">Whose phone</label>
          <select id="user-${id}" name="user">
            ${people.map(({ userId, name }) => html`<option value="${userId}">${name} (${userId})</option>`)}
          </select>
          <button name="decision" value="approve">Approve</button>
          <button name="decision" value="reject">Reject</button>
        </form>
      </section>`,
  )
  return simulatedPage(
    'Your phone (simulated)',
    html`${said ? html`<p role="status">${said}</p>` : ''}
      ${requests.length > 0 ? requests : html`<p>Nothing to approve. <a href="${PATH}">Look again</a></p>`}`,
  )
}
