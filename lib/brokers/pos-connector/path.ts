/** Laravel's usual paths; an account option such as `paths.login` replaces each (README, Endpoints). */
export const POS_DEFAULT_PATHS = { login: '/api/login', me: '/api/user' } as const

export type PosPath = keyof typeof POS_DEFAULT_PATHS | 'refresh'
