import { join } from 'node:path'
import { AssetHashType, DockerImage } from 'aws-cdk-lib'
import { Code } from 'aws-cdk-lib/aws-lambda'
import { buildSync } from 'esbuild'

const ROOT = join(import.meta.dirname, '../..')

/** What CommonJS packages inside an ES module need in place of Node's own `require`. */
const REQUIRE_SHIM =
  "import{createRequire as makeRequire}from'node:module';const require=makeRequire(import.meta.url);"

/**
 * Bundles a function of functions/ into `outputDir` as index.mjs and its chunks, and gives their sizes in bytes.
 *
 * Chunks are what a cold start needs: what only some runs use (HTTP, SNS, Lambda, a dynamic import each) stays an
 * unread file until then. NodejsFunction cannot make them, it insists on a single file, which takes Node a third
 * longer to read.
 */
export function bundle(entry: string, outputDir: string): Readonly<Record<string, number>> {
  const { metafile } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: { index: join('functions', entry) },
    outdir: outputDir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    conditions: ['module'],
    // Identifiers stay: error names and stack traces are read by people.
    minifyWhitespace: true,
    minifySyntax: true,
    banner: { js: REQUIRE_SHIM },
    metafile: true,
    logLevel: 'error',
  })
  return Object.fromEntries(
    Object.entries(metafile.outputs).map(([path, { bytes }]) => [path.split('/').at(-1) ?? path, bytes]),
  )
}

/** The code of a function, bundled on this machine: the dependencies of the lockfile, AWS' SDK among them. */
export function bundledCode(entry: string): Code {
  return Code.fromAsset(join(ROOT, 'functions'), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      local: {
        tryBundle(outputDir) {
          bundle(entry, outputDir)
          return true
        },
      },
      // Neither runs: CDK asks for an image to fall back to, and tells assets apart by the command.
      image: DockerImage.fromRegistry('unused'),
      command: [entry],
    },
  })
}
