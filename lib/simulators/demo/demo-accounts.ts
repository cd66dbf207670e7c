import type { AccountSettings } from '../../model/account-state.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import type { FyersSimulator } from '../fyers/fyers-simulator.ts'

/** Everybody in this file is invented, and so is every credential. */
export const FYERS_APP = { clientId: 'SIMFYERS01-100', secret: 'SIMULATED-fyers-app-secret' }
export const ASHA_AT_FYERS = { fyId: 'XS00001', name: 'ASHA SIMULATED', pin: '2580' }
export const BINA_AT_FYERS = { fyId: 'XS00002', name: 'BINA SIMULATED', pin: '1470' }
export const UPSTOX_APP = {
  clientId: '00000000-0000-4000-8000-simulated001',
  secret: 'SIMULATED-upstox-secret',
}
export const ASHA_ACCOUNT = 'upstox/ASHA'
export const ASHA_AT_UPSTOX = { userId: 'SIM001', name: 'ASHA SIMULATED' }
/** The token service's customer: its logins must not end Asha's sessions. */
export const GITA_AT_UPSTOX = { userId: 'SIM002', name: 'GITA SIMULATED' }
export const ZERODHA_APP = { apiKey: 'simkiteapikey001', secret: 'SIMULATED-kite-secret' }
export const ESHA_AT_ZERODHA = { userId: 'SIMZ01', name: 'ESHA SIMULATED' }
export const CHITRA_AT_IIFL = {
  clientId: 'SIM10001',
  name: 'CHITRA SIMULATED',
  password: 'Simulated-Passw0rd',
  totpSecret: 'JBSWY3DPEHPK3PXP',
  appKey: 'SIMULATED-iifl-app-key',
  appSecret: 'SIMULATED-iifl-app-secret',
}
/** Keeps her password to herself. */
export const FARAH_AT_IIFL = {
  clientId: 'SIM10003',
  name: 'FARAH SIMULATED',
  password: 'Simulated-Passw0rd-3',
  totpSecret: 'JBSWY3DPEHPK3PXQ',
  appKey: 'SIMULATED-iifl-app-key-3',
  appSecret: 'SIMULATED-iifl-app-secret-3',
}
export const XTS_KEYS = {
  product: 'interactive',
  appKey: 'SIMULATED-xts-app-key',
  secretKey: 'SIMULATED-xts-secret',
  userId: 'SIM20001',
} as const
export const POS_USER = {
  id: 7,
  name: 'Corner Shop (simulated)',
  email: 'shop@example.invalid',
  password: 'Simulated-P0S',
  vendorId: 'V-42',
}

/** Days a FYERS refresh token lives (lib/brokers/fyers/README.md, Expiry). */
const FYERS_REFRESH_TOKEN_DAYS = 15

/** An account that can be set up in the simulated world. */
export interface DemoAccount {
  readonly id: string
  readonly secrets: Readonly<Partial<Record<SecretName, string>>>
  readonly settings: AccountSettings
  /** Whose it is known to be, as after an earlier login. @default - pinned at the first proof */
  readonly user?: { readonly userId: string; readonly clientName: string }
}

/** All that can be set up: some renew themselves, some need a person every day, one is somebody else's business. */
export function demoAccounts(fyers: FyersSimulator, posAddress: string): readonly DemoAccount[] {
  const fyersApp = { client_id: FYERS_APP.clientId, client_secret: FYERS_APP.secret }
  return [
    {
      id: 'fyers',
      secrets: {
        ...fyersApp,
        pin: ASHA_AT_FYERS.pin,
        refresh_token: fyers.refreshTokenFor(ASHA_AT_FYERS.fyId, 1),
      },
      settings: { nickname: 'Asha' },
    },
    {
      id: 'fyers/BINA',
      secrets: {
        ...fyersApp,
        pin: BINA_AT_FYERS.pin,
        // Its last day: it dies with the coming 06:00.
        refresh_token: fyers.refreshTokenFor(BINA_AT_FYERS.fyId, FYERS_REFRESH_TOKEN_DAYS),
      },
      settings: { nickname: 'Bina' },
    },
    {
      id: 'zerodha',
      secrets: { client_id: ZERODHA_APP.apiKey, client_secret: ZERODHA_APP.secret },
      settings: { nickname: 'Esha' },
      user: { userId: ESHA_AT_ZERODHA.userId, clientName: ESHA_AT_ZERODHA.name },
    },
    {
      id: ASHA_ACCOUNT,
      secrets: { client_id: UPSTOX_APP.clientId, client_secret: UPSTOX_APP.secret },
      settings: { nickname: 'Asha', options: { upstream: 'off' } },
      // Approvals are for users who are known.
      user: { userId: ASHA_AT_UPSTOX.userId, clientName: ASHA_AT_UPSTOX.name },
    },
    { id: 'upstox/DEMO1', secrets: {}, settings: { nickname: 'Gita' } },
    {
      id: 'iifl/SIM10001',
      secrets: {
        user_id: CHITRA_AT_IIFL.clientId,
        client_id: CHITRA_AT_IIFL.appKey,
        client_secret: CHITRA_AT_IIFL.appSecret,
        password: CHITRA_AT_IIFL.password,
        totp_secret: CHITRA_AT_IIFL.totpSecret,
      },
      settings: { nickname: 'Chitra' },
    },
    { id: 'iifl/SIM10002', secrets: {}, settings: { nickname: 'Dev', managedBy: 'external' } },
    {
      id: 'iifl/SIM10003',
      secrets: {
        user_id: FARAH_AT_IIFL.clientId,
        client_id: FARAH_AT_IIFL.appKey,
        client_secret: FARAH_AT_IIFL.appSecret,
      },
      settings: { nickname: 'Farah' },
    },
    {
      id: 'iifl-xts',
      secrets: { client_id: XTS_KEYS.appKey, client_secret: XTS_KEYS.secretKey },
      settings: {},
    },
    {
      id: 'pos-connector',
      secrets: {
        base_url: posAddress,
        email: POS_USER.email,
        password: POS_USER.password,
        vendor_id: POS_USER.vendorId,
      },
      settings: { nickname: 'Corner shop' },
    },
  ]
}
