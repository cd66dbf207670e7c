import { stripVTControlCharacters } from 'node:util'
import { getBorderCharacters, table } from 'table'
import { line } from '../../channels/alert-text.ts'
import type { Style, Terminal } from './terminal.ts'

const GAP = 2
/** Narrower than this a column is no longer readable. */
const NARROWEST = 12

export interface Cell {
  readonly text: string
  readonly style?: Style | undefined
}

/**
 * Rows under headings without any borders. On a terminal that is too narrow the last column is broken into
 * several lines, then the widest others; piped, each row is one line.
 */
export function textTable(
  headings: readonly string[],
  rows: readonly (readonly (Cell | string)[])[],
  terminal: Pick<Terminal, 'columns' | 'style' | 'worded'>,
): string {
  // As they will be read: a command may take more room than its plain form.
  const worded = (text: string): string => terminal.worded(line(text))
  const cells = rows.map((row) =>
    row.map(
      (cell): Cell =>
        typeof cell === 'string' ? { text: worded(cell) } : { ...cell, text: worded(cell.text) },
    ),
  )
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]?.text.length ?? 0)),
  )
  narrowTo(widths, terminal.columns)
  const drawn = [
    headings.map((heading) => terminal.style('dim', heading)),
    ...cells.map((row) => row.map(({ text, style }) => (style ? terminal.style(style, text) : text))),
  ]
  return table(drawn, {
    border: getBorderCharacters('void'),
    columnDefault: { paddingLeft: 0, paddingRight: GAP, wrapWord: true },
    columns: widths.map((width) => ({ width })),
    drawHorizontalLine: () => false,
  })
    .split('\n')
    .map((drawnLine) => (stripVTControlCharacters(drawnLine).trim() === '' ? '' : drawnLine.trimEnd()))
    .join('\n')
    .trimEnd()
}

/** Narrows columns until they fit: the last one first, which holds sentences. */
function narrowTo(widths: number[], columns: number): void {
  const excess = (): number => widths.reduce((sum, width) => sum + width + GAP, 0) - columns
  const narrow = (column: number, least: number): void => {
    const width = widths[column] as number
    widths[column] = Math.max(Math.min(width, least), width - Math.max(0, excess()))
  }
  narrow(widths.length - 1, 2 * NARROWEST)
  while (excess() > 0) {
    const widest = widths.indexOf(Math.max(...widths))
    if ((widths[widest] as number) <= NARROWEST) return
    widths[widest] = (widths[widest] as number) - 1
  }
}
