/**
 * Thirty kinds of secret, as their vendors make them. Each is put together when it is asked for, so that no scanner of a
 * repository finds one in this file.
 */
export interface SecretKind {
  name: string
  /** The secret alone. */
  make(random: () => number): string
  /** How it stands in a text where its form alone does not tell it; the secret alone where it does. */
  embed?(secret: string): string
}

const lower = 'abcdefghijklmnopqrstuvwxyz'
const digits = '0123456789'
const letters = lower + lower.toUpperCase()
const alphanumeric = letters + digits
const hex = `${digits}abcdef`

/** So many signs of an alphabet; a digit, a small and a capital letter are among them where it has them. */
function signs(random: () => number, count: number, alphabet = alphanumeric): string {
  const made = Array.from({ length: count }, () => alphabet[Math.floor(random() * alphabet.length)] ?? '')
  for (const [at, needed] of ['7', 'q', 'Z'].entries())
    if (alphabet.includes(needed) && count > 6) made[at + 2] = needed
  return made.join('')
}

const of = (...parts: string[]) => parts.join('')
const wide = `${alphanumeric}-_`

export const secretKinds: SecretKind[] = [
  { name: 'GitHub', make: random => of('gh', 'p_', signs(random, 36)) },
  { name: 'GitHub, fine-grained', make: random => of('github', '_pat_', signs(random, 22), '_', signs(random, 59)) },
  { name: 'GitLab', make: random => of('gl', 'pat-', signs(random, 20)) },
  { name: 'AWS id', make: random => of('AK', 'IA', signs(random, 16, lower.toUpperCase() + digits)) },
  {
    name: 'AWS secret',
    make: random => signs(random, 40, `${alphanumeric}/+`),
    embed: secret => `aws_secret_access_key = ${secret}`,
  },
  { name: 'Slack', make: random => of('xo', 'xb-', signs(random, 12, digits), '-', signs(random, 24)) },
  {
    name: 'Slack webhook',
    make: random =>
      of(
        'https://hooks.',
        'slack.com/serv',
        'ices/T',
        signs(random, 8),
        '/B',
        signs(random, 8),
        '/',
        signs(random, 24),
      ),
  },
  { name: 'Stripe', make: random => of('sk', '_live_', signs(random, 24)) },
  { name: 'Google API', make: random => of('AI', 'za', signs(random, 35, wide)) },
  { name: 'Google OAuth', make: random => of('ya', '29.', signs(random, 60, wide)) },
  {
    name: 'Google service account',
    make: random =>
      of(
        '-----BEGIN ',
        'PRIVATE KEY-----\\n',
        signs(random, 64),
        '\\n',
        signs(random, 64),
        '\\n-----END ',
        'PRIVATE KEY-----\\n',
      ),
    embed: secret => `{"type": "service_account", "private_key": "${secret}"}`,
  },
  { name: 'OpenAI', make: random => of('sk', '-proj-', signs(random, 48, wide)) },
  { name: 'Anthropic', make: random => of('sk', '-ant-api03-', signs(random, 93, wide), 'AA') },
  { name: 'npm', make: random => of('np', 'm_', signs(random, 36)) },
  { name: 'PyPI', make: random => of('py', 'pi-AgEI', signs(random, 120, wide)) },
  { name: 'Docker', make: random => of('dck', 'r_pat_', signs(random, 27, wide)) },
  { name: 'Hugging Face', make: random => of('h', 'f_', signs(random, 34)) },
  { name: 'Twilio', make: random => of('S', 'K', signs(random, 32, hex)) },
  { name: 'SendGrid', make: random => of('S', 'G.', signs(random, 22, wide), '.', signs(random, 43, wide)) },
  { name: 'Mailgun', make: random => of('key', '-', signs(random, 32, hex)) },
  { name: 'Telegram', make: random => of(signs(random, 10, digits), ':A', 'A', signs(random, 33, wide)) },
  {
    name: 'Discord webhook',
    make: random =>
      of('https://disc', 'ord.com/api/web', 'hooks/', signs(random, 18, digits), '/', signs(random, 68, wide)),
  },
  { name: 'DigitalOcean', make: random => of('do', 'p_v1_', signs(random, 64, hex)) },
  {
    name: 'Heroku',
    make: random => [8, 4, 4, 4, 12].map(count => signs(random, count, hex)).join('-'),
    embed: secret => `HEROKU_API_KEY=${secret}`,
  },
  {
    name: 'Azure storage',
    make: random => of(signs(random, 86), '=='),
    embed: secret => `DefaultEndpointsProtocol=https;AccountName=x;AccountKey=${secret};EndpointSuffix=y`,
  },
  {
    name: 'JSON web token',
    make: random => of('ey', 'J', signs(random, 33), '.', 'eyJ', signs(random, 70), '.', signs(random, 43, wide)),
  },
  {
    name: 'SSH key',
    make: random =>
      [
        '-----BEGIN OPENSSH ',
        'PRIVATE KEY-----\n',
        ...Array.from({ length: 6 }, () => `${signs(random, 70)}\n`),
        '-----END OPENSSH ',
        'PRIVATE KEY-----',
      ].join(''),
  },
  {
    name: 'a password in an address',
    make: random => signs(random, 16),
    embed: secret => `postgres://app:${secret}@db.internal:5432/app`,
  },
  { name: 'Bearer', make: random => signs(random, 40), embed: secret => `Authorization: Bearer ${secret}` },
  { name: 'ntfy', make: random => of('t', 'k_', signs(random, 29, lower + digits)) },
]

/** Other secrets, which have no number in the corpus. */
export const contextSecretKinds: SecretKind[] = [
  { name: 'a password by its name', make: random => signs(random, 20), embed: secret => `DB_PASSWORD="${secret}"` },
  {
    name: 'a secret in JSON',
    make: random => signs(random, 32, hex),
    embed: secret => `{"client_secret": "${secret}"}`,
  },
  { name: 'npmrc', make: random => signs(random, 36), embed: secret => `//npm.example.com/:_authToken=${secret}` },
  {
    name: 'netrc',
    make: random => signs(random, 14),
    embed: secret => `machine x.example.com login me password ${secret}`,
  },
  { name: 'Basic', make: random => of(signs(random, 24), '=='), embed: secret => `authorization: Basic ${secret}` },
  {
    name: 'curl header',
    make: random => signs(random, 24),
    embed: secret => `curl -H 'X-Api-Key: ${secret}' https://x.example`,
  },
  { name: 'query', make: random => signs(random, 24), embed: secret => `GET /x?a=1&access_token=${secret}&b=2` },
  { name: 'Vault', make: random => of('hv', 's.', signs(random, 90, wide)) },
  { name: 'Grafana', make: random => of('gl', 'sa_', signs(random, 32), '_', signs(random, 8, hex)) },
  { name: 'Discord', make: random => of('M', signs(random, 25), '.', signs(random, 6), '.', signs(random, 38, wide)) },
  { name: 'OpenAI, old', make: random => of('s', 'k-', signs(random, 48)) },
  { name: 'Airtable', make: random => of('pa', 't', signs(random, 14), '.', signs(random, 64, hex)) },
]

/** The text in which a secret stands. */
export function embedSecret({ embed }: SecretKind, secret: string): string {
  return embed ? embed(secret) : secret
}
