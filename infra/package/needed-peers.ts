// Imported first: a program that only uses the client has no CDK, and one that deploys has to be told what is missing.
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** The oldest CDK the stack is known to work with: the one the tests have. 2.230 is known to be too old. */
const OLDEST_CDK = '2.276.0'
const FIX = 'Fix: npm install aws-cdk-lib@2 constructs@10 aws-cdk@2'

const require = createRequire(join(import.meta.dirname, 'index.cjs'))
const cdk = versionOf('aws-cdk-lib')
const missing = [
  ...(cdk === undefined ? ['aws-cdk-lib'] : []),
  ...(isThere('constructs') ? [] : ['constructs']),
]
if (missing.length > 0) {
  throw new Error(`tokenkeeper/cdk needs ${missing.join(' and ')}, which it does not bring along. ${FIX}`)
}
if (cdk !== undefined && isOlder(cdk, OLDEST_CDK)) {
  throw new Error(`tokenkeeper/cdk needs aws-cdk-lib ${OLDEST_CDK} or newer, and ${cdk} is there. ${FIX}`)
}

function versionOf(name: string): string | undefined {
  return isThere(name) ? (require(`${name}/package.json`) as { version: string }).version : undefined
}

function isThere(name: string): boolean {
  try {
    return require.resolve(name) !== ''
  } catch {
    return false
  }
}

function isOlder(version: string, oldest: string): boolean {
  return version.localeCompare(oldest, 'en', { numeric: true }) < 0
}
