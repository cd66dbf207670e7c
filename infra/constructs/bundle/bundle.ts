import { join } from 'node:path'
import { AssetHashType, DockerImage } from 'aws-cdk-lib'
import { Code } from 'aws-cdk-lib/aws-lambda'
import { buildSync } from 'esbuild'
import { BUNDLE_OPTIONS } from './bundle-options.ts'

const ROOT = join(import.meta.dirname, '../../..')

/**
 * Bundles a function of functions/ into `outputDir` as index.mjs and its chunks, and gives their sizes in bytes.
 *
 * Chunks are what a cold start needs: what only some runs use (HTTP, SNS, Lambda, a dynamic import each) stays an
 * unread file until then. NodejsFunction cannot make them, it insists on a single file, which takes Node a third
 * longer to read.
 */
export function bundle(entry: string, outputDir: string): Readonly<Record<string, number>> {
  const { metafile } = buildSync({
    ...BUNDLE_OPTIONS,
    absWorkingDir: ROOT,
    entryPoints: { index: join('functions', entry) },
    outdir: outputDir,
    outExtension: { '.js': '.mjs' },
    // Identifiers stay: error names and stack traces are read by people.
    minifyWhitespace: true,
    minifySyntax: true,
    metafile: true,
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
