import type { RefusalRule } from '../../ports/broker/broker-api.ts'
import { field } from '../shared/field.ts'

/** The `error_type` of a dead token, and of a wrong API secret too (README, Errors). */
export const DEAD_TOKEN = 'TokenException'
/**
 * Kite answers TokenException both for a wrong API secret and for a dead token. Only its message, such as
 * "Invalid `checksum`.", tells them apart (README, Errors). Compared without regard to case.
 */
const KITE_CHECKSUM_TEXT = 'checksum'

/** Whether the message of a {@link DEAD_TOKEN} is about the API secret. */
export function namesChecksum(message: unknown): boolean {
  return String(message).toLowerCase().includes(KITE_CHECKSUM_TEXT)
}

export const kiteRefusal: RefusalRule = {
  saidInBodyOf: [403],
  isRefusal: ({ status }, body) =>
    status === 401 || (field(body, 'error_type') === DEAD_TOKEN && !namesChecksum(field(body, 'message'))),
}
