/**
 * The code that only some invocations need, in one file that is loaded when needed. It is one file because
 * for several the bundler would split their shared code into more files, which a cold start then opens one by
 * one.
 */

export { isRunNear } from '../../lib/markets/near-run.ts'
export { storedRedisMirror } from '../../lib/mirrors/redis/mirror.ts'
export { loginLinks } from '../../lib/site/login-links.ts'
export { storedSigningKeys } from '../../lib/site/signing-keys.ts'
export { takeLoginStep } from './login/login-handler.ts'
export { workOnToken } from './token/token-handler.ts'
