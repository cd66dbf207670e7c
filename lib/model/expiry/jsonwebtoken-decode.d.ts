declare module 'jsonwebtoken/decode.js' {
  import type { decode } from 'jsonwebtoken'

  const decodeToken: typeof decode
  export default decodeToken
}
