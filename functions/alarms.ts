import { alarmsHandler } from './runtime/alarms/alarms-handler.ts'

export const handler = alarmsHandler()
