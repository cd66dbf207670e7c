import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
const HOUSES = ['lib', 'functions', 'infra']
const IMPORTED = /\b(?:from|import)\s*\(?\s*'(\.[^']+)'/g

/**
 * Which rooms a room may import from. `lib` are the few files that stand in no room: the configuration, the system's
 * clock, the names of resources.
 */
export const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  model: [],
  oauth: [],
  ports: ['model'],
  files: ['model'],
  markets: ['model', 'ports'],
  http: ['model', 'ports'],
  tokens: ['markets', 'model', 'ports'],
  accounts: ['markets', 'model', 'ports', 'tokens'],
  channels: ['model', 'ports'],
  brokers: ['http', 'markets', 'model', 'oauth', 'ports'],
  mirrors: ['files', 'http', 'model', 'ports'],
  lib: ['brokers', 'http', 'markets', 'mirrors', 'model', 'ports'],
  site: ['accounts', 'http', 'markets', 'model', 'ports', 'tokens'],
  rest: ['accounts', 'markets', 'model', 'oauth', 'ports', 'site', 'tokens'],
  web: ['model', 'ports', 'rest', 'site'],
  aws: ['channels', 'model', 'ports', 'tokens'],
  local: ['channels', 'files', 'http', 'markets', 'model', 'ports', 'tokens'],
  client: ['aws', 'brokers', 'http', 'lib', 'local', 'markets', 'model', 'oauth', 'ports', 'tokens'],
  simulators: ['accounts', 'brokers', 'model', 'ports', 'tokens'],
  infra: ['brokers', 'http', 'lib', 'markets', 'mirrors', 'model', 'ports'],
  functions: [
    ...['aws', 'brokers', 'channels', 'http', 'lib', 'markets', 'mirrors'],
    ...['model', 'ports', 'site', 'tokens', 'web'],
  ],
  cli: [
    ...['accounts', 'aws', 'brokers', 'channels', 'client', 'http', 'lib', 'local', 'markets'],
    ...['mirrors', 'model', 'ports', 'simulators', 'site', 'tokens', 'web'],
  ],
}

/** One import from a room into another, or from a file into another. */
export interface Arrow {
  readonly from: string
  readonly to: string
  /** The files, from the project's folder. */
  readonly importer: string
  readonly imported: string
}

/** Every import of one of this project's rooms by another, dynamic ones and types included. */
export function arrows(): readonly Arrow[] {
  return HOUSES.flatMap((house) => arrowsFrom(house, roomAt))
}

/** Those that {@link ALLOWED} does not have. */
export function forbidden(all: readonly Arrow[]): readonly Arrow[] {
  return all.filter(({ from, to }) => !ALLOWED[from]?.includes(to))
}

/** Rooms, or files, that lead back to themselves. */
export function circles(all: readonly Arrow[]): readonly string[] {
  const leads = Map.groupBy(all, ({ from }) => from)
  const reached = (room: string, seen: Set<string>): Set<string> => {
    for (const { to } of leads.get(room) ?? []) {
      if (seen.has(to)) continue
      seen.add(to)
      reached(to, seen)
    }
    return seen
  }
  return [...leads.keys()].filter((room) => reached(room, new Set()).has(room))
}

/** The arrows between the folders of one room, such as lib/tokens. */
export function arrowsWithin(room: string): readonly Arrow[] {
  const folderOf = (path: string): string => (path.startsWith(`${room}/`) ? dirname(path) : '')
  return arrowsFrom(room, folderOf).filter(({ to }) => to !== '')
}

/** Every import of one file by another: a circle of files need not leave a room. */
export function fileArrows(): readonly Arrow[] {
  return HOUSES.flatMap((house) => arrowsFrom(house, (path) => path))
}

/** The imports by all files below a folder; `roomOf` says what an arrow leads from and to. */
function arrowsFrom(folder: string, roomOf: (path: string) => string): readonly Arrow[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => arrowsOf(join(ROOT, folder, file), roomOf))
}

/** Every source file, by its path from the project's folder. */
export function sourceFiles(): readonly { readonly path: string; readonly text: string }[] {
  return HOUSES.flatMap((house) =>
    readdirSync(join(ROOT, house), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => ({ path: `${house}/${file}`, text: readFileSync(join(ROOT, house, file), 'utf8') })),
  )
}

function arrowsOf(file: string, roomOf: (path: string) => string): readonly Arrow[] {
  const importer = fromRoot(file)
  const from = roomOf(importer)
  return [...readFileSync(file, 'utf8').matchAll(IMPORTED)].flatMap(([, path = '']) => {
    const imported = fromRoot(resolve(dirname(file), path))
    const to = roomOf(imported)
    return to === from ? [] : [{ from, to, importer, imported }]
  })
}

function roomAt(path: string): string {
  const [house = '', room = '', file] = path.split('/')
  return house === 'lib' && file !== undefined ? room : house
}

function fromRoot(path: string): string {
  return relative(ROOT, path).split(sep).join('/')
}
