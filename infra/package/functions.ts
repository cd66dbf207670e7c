import { createHash } from 'node:crypto'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleParts } from '../constructs/bundle/bundle.ts'
import { licencesOf } from './licences.ts'

/**
 * Bundles every function into `outdir`: each file once, however many functions have it, named by its hash; parts.json
 * says which function has which; LICENSES.txt holds the licences of the packages that are in them.
 */
export function buildFunctions(root: string, outdir: string): void {
  const parts: Record<string, Record<string, string>> = {}
  const inputs = new Set<string>()
  mkdirSync(outdir, { recursive: true })
  const scratch = mkdtempSync(join(tmpdir(), 'tokenkeeper-functions-'))
  try {
    for (const entry of readdirSync(join(root, 'functions')).filter((name) => name.endsWith('.ts'))) {
      const folder = join(scratch, entry)
      for (const input of Object.keys(bundleParts(entry, folder).inputs)) inputs.add(input)
      parts[entry] = stored(folder, outdir)
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  writeFileSync(join(outdir, 'parts.json'), JSON.stringify(parts, undefined, 1))
  writeFileSync(join(outdir, 'LICENSES.txt'), licencesOf(root, [...inputs]))
}

/** Copies the files of a bundle, and gives what each of them is called there. */
function stored(folder: string, outdir: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => {
      const hash = createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex')
        .slice(0, 20)
      copyFileSync(join(folder, name), join(outdir, `${hash}.mjs`))
      return [name, `${hash}.mjs`]
    }),
  )
}
