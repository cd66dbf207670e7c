import { posConnector } from '../lib/brokers/pos-connector/pos-connector.ts'
import { refreshHandler } from './runtime/refresh/refresh-handler.ts'

export const handler = refreshHandler(posConnector)
