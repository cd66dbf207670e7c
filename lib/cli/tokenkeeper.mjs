#!/usr/bin/env node
// The `tokenkeeper` command. In a clone the launcher runs its TypeScript; an installed package has none, since Node strips
// no types below node_modules, and runs what `npm run build` compiled of it. Plain JavaScript for Node 18 and later.
import { existsSync } from 'node:fs'

const NEEDED_MAJOR = 24
const COMPILED = new URL('../../dist/command/main.js', import.meta.url)

if (existsSync(new URL('main.ts', import.meta.url))) {
  process.argv.splice(2, 0, 'lib/cli/main.ts')
  await import('./launch.mjs')
} else if (!existsSync(COMPILED)) {
  // As npm installs it from a Git URL: it packs without building first.
  process.stderr.write(
    'This tokenkeeper was installed without having been built. Fix: npm pack in a clone, and npm install the tarball\n',
  )
  process.exitCode = 5
} else if (Number(process.versions.node.split('.')[0]) < NEEDED_MAJOR) {
  const { platform, arch, versions } = process
  const node = `node-${platform === 'win32' ? 'win' : platform}-${arch}@${NEEDED_MAJOR}`
  process.stderr.write(
    `tokenkeeper needs Node ${NEEDED_MAJOR}, and this is ${versions.node}. Fix: install Node ${NEEDED_MAJOR}; or put one ` +
      `beside tokenkeeper, which npx tokenkeeper then runs on: npm install ${node}\n`,
  )
  process.exitCode = 5
} else {
  withoutExperimentalWarnings()
  await import(COMPILED.href)
}

/** node:sqlite warns at its first use, and nobody who runs a command can do anything about it. */
function withoutExperimentalWarnings() {
  const { emitWarning } = process
  process.emitWarning = (warning, ...options) => {
    if (options[0] !== 'ExperimentalWarning') emitWarning.call(process, warning, ...options)
  }
}
