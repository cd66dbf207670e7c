import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Code } from 'aws-cdk-lib/aws-lambda'
import { codeMadeBy } from './made-code.ts'

// Stands in for bundle.ts in the installed package: see infra/package/README.md.

/** The files of all functions, each once however many have it. Beside dist/cdk/index.cjs, into which this is compiled. */
const FOLDER = join(import.meta.dirname, 'functions')
/** By function and its file, the file in FOLDER. */
type Parts = Readonly<Record<string, Readonly<Record<string, string>>>>

/** The code of a function as it was bundled when the package was built, byte for byte. */
export function bundledCode(entry: string): Code {
  const parts = JSON.parse(readFileSync(join(FOLDER, 'parts.json'), 'utf8')) as Parts
  const files = Object.entries(parts[entry] ?? {})
  if (files.length === 0) throw new Error(`the package has no code of the function ${entry}: install it anew`)
  return codeMadeBy(FOLDER, entry, (outputDir) => {
    for (const [name, stored] of files) copyFileSync(join(FOLDER, stored), join(outputDir, name))
  })
}
