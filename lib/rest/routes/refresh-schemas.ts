import { z } from '@hono/zod-openapi'
import { Account, Time, TokenFacts, TokenFields } from './schemas.ts'

/** The schemas of requests for renewals, and of how these ended. */

export const RefreshWish = z
  .object({
    generation: z
      .int()
      .min(0)
      .optional()
      .openapi({ description: 'The broker refused the token of this generation' }),
    version: z.int().min(0).optional().openapi({ description: 'The same, by the vault’s version' }),
    force: z.boolean().optional().openapi({
      description: 'Renew a token that is fresh; needs the scope admin as well',
    }),
  })
  .refine(({ generation, version }) => generation === undefined || version === undefined, {
    error: 'name either the generation or the version',
    path: ['version'],
  })
  .openapi('RefreshWish')

const Outcome = z.enum(['fresh', 'refreshed', 'paused', 'skipped', 'awaiting_login', 'ambiguous', 'failed'])

export const RefreshedSchema = z
  .object({
    success: z.literal(true),
    outcome: Outcome,
    reason: z.string(),
    next_action: z.string(),
    ...TokenFacts,
    ...z.object(TokenFields).partial().shape,
  })
  .openapi('Refreshed', { description: 'With the token itself only for a key that has the scope token too' })

export const ForceWish = z
  .object({
    force: z.boolean().optional().openapi({
      description: 'Renew tokens that are fresh; needs the scope admin as well',
    }),
  })
  .openapi('ForceWish')

const RunResult = z
  .object({
    success: z.boolean(),
    account: Account,
    userID: z.string().nullable(),
    clientName: z.string().nullable(),
    outcome: Outcome,
    code: z.string().optional(),
    reason: z.string(),
    live: z.boolean().nullable(),
    tokenValidity: Time.nullable(),
    nextAction: z.string(),
    loginHelpsFrom: Time.optional(),
  })
  .openapi('RunResult')

export const RunReportSchema = z
  .object({
    success: z.boolean(),
    message: z.string(),
    refreshed: z.int(),
    failed: z.int(),
    skipped: z.int(),
    total: z.int(),
    handedOver: z.int().openapi({ description: 'Accounts that a later invocation works on' }),
    results: z.array(RunResult),
  })
  .openapi('RunReport')

export const RefreshedUser = z
  .object({
    success: z.literal(true),
    message: z.string(),
    account: Account,
    outcome: Outcome,
    userID: z.string().nullable(),
    clientName: z.string().nullable(),
    tokenValidity: Time.nullable(),
    nextAction: z.string(),
  })
  .openapi('RefreshedUser')
