import type { AccountId } from '../../model/account-id.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { type Plan, sizeOf } from './plan.ts'
import type { PresentKey } from './present-key.ts'

/** What a call has done. */
export interface Moved {
  readonly secrets: number
  readonly accounts: number
  readonly failed: readonly { readonly account: AccountId; readonly reason: string; readonly fix: string }[]
  readonly interrupted: boolean
}

/** What would be done, or that there is nothing to do. */
export function showPlan(
  plan: Plan,
  key: PresentKey,
  { writesPerSecond, dryRun = false }: { readonly writesPerSecond: number; readonly dryRun?: boolean },
  terminal: Terminal,
): void {
  const count = sizeOf(plan)
  if (terminal.json) {
    terminal.object({
      success: true,
      dryRun,
      key: key.shown,
      alreadyThere: plan.there,
      toMove: count,
      from: Object.fromEntries(plan.from),
      accounts: Object.fromEntries(plan.moves),
      plain: plan.plain.map(({ path }) => path),
    })
    return
  }
  if (count === 0) {
    terminal.print(`All ${plan.there} secrets lie under ${key.shown}: nothing to do.`)
  } else {
    for (const [account, names] of plan.moves) terminal.print(`${account}: ${names.join(', ')}`)
    for (const [from, secrets] of plan.from) terminal.print(`${secrets} lie under ${from}`)
    const minutes = Math.ceil(count / writesPerSecond / 60)
    terminal.print(
      `${count} secrets would be stored again under ${key.shown}, in about ${minutes} min; ` +
        `${plan.there} are there already. Nothing was changed.`,
    )
  }
  tellPlain(plan, terminal)
}

/** What was done, what is left and what that leads to. */
export function showMoved(moved: Moved, plan: Plan, key: PresentKey, terminal: Terminal): void {
  const left = sizeOf(plan) - moved.secrets
  if (terminal.json) {
    terminal.object({
      success: left === 0,
      dryRun: false,
      key: key.shown,
      alreadyThere: plan.there,
      moved: moved.secrets,
      left,
      failed: moved.failed,
      plain: plan.plain.map(({ path }) => path),
    })
    return
  }
  terminal.print(
    `${moved.secrets} secrets were stored again under ${key.shown}, ${plan.there} were there already.`,
  )
  if (left > 0) {
    for (const { account, reason, fix } of moved.failed) {
      terminal.print(`${account}: ${reason}${fix ? `\n      ${terminal.style('bold', 'fix:')} ${fix}` : ''}`)
    }
    terminal.print(`${left} are left under their earlier key. Go on with: tokenkeeper vault re-encrypt`)
  } else if ([...plan.from.keys()].some((name) => !name.startsWith('alias/aws/'))) {
    terminal.print(
      'Nothing here needs the earlier keys any more but the older versions of these parameters in SSM. ' +
        'Take them out of previousKeyArns, npm run deploy, and look at tokenkeeper status after the next runs before you disable one.',
    )
  }
  tellPlain(plan, terminal)
}

function tellPlain({ plain }: Plan, terminal: Terminal): void {
  for (const { path, account, name } of plain) {
    terminal.print(
      `${path} is stored as plain text, which SSM cannot change: aws ssm delete-parameter --name ${path}, ` +
        `then tokenkeeper put ${account} ${name}`,
    )
  }
}
