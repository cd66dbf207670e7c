#!/usr/bin/env node
// The `tokenkeeper` command of a clone: `npx tokenkeeper refresh`.
process.argv.splice(2, 0, 'lib/cli/main.ts')
await import('./launch.mjs')
