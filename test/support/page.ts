import { readFileSync } from 'node:fs'

const ROOT = new URL('../../', import.meta.url)

/** A page of this repository, by its path from the project's folder. */
export interface Page {
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
}

export function pageAt(path: string): Page {
  const text = readFileSync(new URL(path, ROOT), 'utf8')
  return { path, text, lines: text.split('\n') }
}

/** Throws an error that tells what no line of the page has, in place of the whole page. */
export function assertLine({ path, lines }: Page, wanted: string | RegExp): void {
  const fits = (line: string) => (typeof wanted === 'string' ? line.includes(wanted) : wanted.test(line))
  if (!lines.some(fits)) throw new Error(`no line of ${path} has ${String(wanted)}`)
}

/** The rows of the table under a heading, each by its cells. Throws where there is no such heading. */
export function tableUnder({ path, lines }: Page, heading: string): readonly (readonly string[])[] {
  const start = lines.indexOf(heading)
  if (start < 0) throw new Error(`${path} has no heading ${heading}`)
  const end = lines.findIndex((line, index) => index > start && line.startsWith('#'))
  const rows = lines.slice(start, end < 0 ? undefined : end).filter((line) => line.startsWith('| '))
  const cellsOf = (row: string) => row.split('|').slice(1, -1)
  return rows.slice(1).map((row) => cellsOf(row).map((cell) => cell.trim()))
}
