import { html } from 'hono/html'
import { simulatedPage } from './login-page-frame.ts'

/** The second factor of every simulated broker. */
export const SIMULATED_CODE = '123456'

export interface LoginPage {
  readonly title: string
  readonly broker: string
  readonly users: readonly { readonly id: string; readonly name: string }[]
  /** Where the form is posted, a path of the simulated broker. */
  readonly action: string
  /** What the form carries along unseen. */
  readonly hidden: Readonly<Record<string, string>>
  /** What was wrong with the last try. */
  readonly problem?: string
}

/** A small login page as a broker shows it: who, second factor, log in or cancel. Works without JavaScript. */
export function simulatedLoginPage(page: LoginPage): Response {
  const { title, broker, users, action, hidden, problem } = page
  return simulatedPage(
    title,
    html`<p>This only plays ${broker}. The code is ${SIMULATED_CODE}.</p>
      ${problem ? html`<p role="alert">${problem}</p>` : ''}
      <form method="post" action="${action}">
        ${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
        <label for="user">User</label>
        <select id="user" name="user">
          ${users.map(({ id, name }) => html`<option value="${id}">${name} (${id})</option>`)}
        </select>
        <label for="code">Six-digit code of your app</label>
        <input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="6" />
        <button name="decision" value="approve">Log in</button>
        <button name="decision" value="refuse">Cancel</button>
      </form>`,
  )
}

/** Who logs in by a posted {@link simulatedLoginPage}, or what is wrong with the form. Cancelling needs no code. */
export function readLogin(
  form: FormData | URLSearchParams,
): { readonly user: string; readonly approved: boolean } | { readonly problem: string } {
  const user = String(form.get('user') ?? '')
  if (form.get('decision') === 'refuse') return { user, approved: false }
  if (form.get('code') !== SIMULATED_CODE) return { problem: `Wrong code: type ${SIMULATED_CODE}` }
  if (user === '') return { problem: 'Choose who logs in' }
  return { user, approved: true }
}
