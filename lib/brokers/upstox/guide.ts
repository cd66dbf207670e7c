import type { GuideNames } from '../../ports/broker/guide-names.ts'

/** Names from the guide (README, Token service and Mirror). */
export const upstoxGuide = {
  accountsCalledBy: 'name',
  accountsVariable: 'UPSTOX_ACCOUNT_IDS',
  hostVariables: { TOKEN_SERVICE: 'TOKEN_REFRESH_SERVICE_URL' },
  redisInfoKey: 'token_info',
} as const satisfies GuideNames
