import { subscriptionsHandler } from './runtime/subscriptions-handler.ts'

export const handler = subscriptionsHandler()
