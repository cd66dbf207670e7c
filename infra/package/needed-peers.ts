// Imported first: a program that only uses the client has no CDK, and one that deploys has to be told what is missing.
import { createRequire } from 'node:module'
import { join } from 'node:path'

const NEEDED = ['aws-cdk-lib', 'constructs']

const { resolve } = createRequire(join(import.meta.dirname, 'index.cjs'))
const missing = NEEDED.filter((name) => !isThere(name))
if (missing.length > 0) {
  throw new Error(
    `tokenkeeper/cdk needs ${missing.join(' and ')}, which the package does not bring along. ` +
      'Fix: npm install aws-cdk-lib constructs aws-cdk',
  )
}

function isThere(name: string): boolean {
  try {
    return resolve(name) !== ''
  } catch {
    return false
  }
}
