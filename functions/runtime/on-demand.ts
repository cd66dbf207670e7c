/**
 * What only some invocations need, as one piece that is read when it is needed. One and not several: each further
 * piece makes the bundler cut what all of them share into more files, which a cold start then opens one by one.
 */

export { isRunNear } from '../../lib/markets/near-run.ts'
export { storedRedisMirror } from '../../lib/mirrors/redis/mirror.ts'
export { loginLinks } from '../../lib/site/login-links.ts'
export { storedSigningKeys } from '../../lib/site/signing-keys.ts'
export { takeLoginStep } from './login/login-handler.ts'
export { workOnToken } from './token/token-handler.ts'
