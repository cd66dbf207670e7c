// Makes dist/command and dist/cdk, which the package holds beside dist/client: `npm run build`, and with it npm pack.
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildCdk } from './cdk.ts'
import { buildCommand } from './command.ts'
import { buildFunctions } from './functions.ts'

const ROOT = join(import.meta.dirname, '../..')
const COMMAND = join(ROOT, 'dist/command')
const CDK = join(ROOT, 'dist/cdk')

for (const folder of [COMMAND, CDK]) rmSync(folder, { recursive: true, force: true })
await buildCommand(ROOT, COMMAND)
await buildCdk(ROOT, CDK)
buildFunctions(ROOT, join(CDK, 'functions'))
const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
const project = join(import.meta.dirname, 'tsconfig.build.json')
execFileSync(process.execPath, [compiler, '--project', project, '--outDir', join(CDK, 'types')], {
  stdio: 'inherit',
})
