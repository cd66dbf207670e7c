// What the package exports as tokenkeeper/cdk: the stack, for a CDK app of the owner's own.
import './needed-peers.ts'

export { type Config, parseConfig } from '../../lib/config.ts'
export { TokenKeeperStack, type TokenKeeperStackProps } from '../token-keeper-stack.ts'
