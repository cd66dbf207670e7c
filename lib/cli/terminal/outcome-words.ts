import type { Outcome } from '../../model/outcome.ts'
import type { Style } from './terminal.ts'
import type { Cell } from './text-table.ts'

const WORDS: Readonly<
  Record<Outcome, { readonly word: string; readonly style: Style; readonly mark: string }>
> = {
  refreshed: { word: 'refreshed', style: 'green', mark: '+' },
  fresh: { word: 'fresh', style: 'green', mark: '=' },
  awaiting_login: { word: 'login needed', style: 'yellow', mark: '!' },
  ambiguous: { word: 'uncertain', style: 'yellow', mark: '?' },
  paused: { word: 'paused', style: 'dim', mark: '-' },
  skipped: { word: 'skipped', style: 'dim', mark: '-' },
  failed: { word: 'failed', style: 'red', mark: 'x' },
}

/** An outcome for people. */
export function outcomeCell(outcome: Outcome): Cell {
  const { word, style } = WORDS[outcome]
  return { text: word, style }
}

/** One character that tells outcomes apart without colours, too. */
export function outcomeMark(outcome: Outcome): Cell {
  const { mark, style } = WORDS[outcome]
  return { text: mark, style }
}

/** What a live account looks like, one that waits for a person, and one that is broken. */
export function stateStyle(state: string, live: boolean): Style {
  if (state === 'skipped' || state === 'paused') return 'dim'
  if (state === 'awaiting_login' || state === 'ambiguous') return 'yellow'
  return live && state !== 'failed' ? 'green' : 'red'
}
