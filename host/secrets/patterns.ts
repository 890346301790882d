/** A kind of secret that is recognized by its form, or by the words right before it. */
interface TokenPattern {
  name: string
  /** A global pattern. If it has groups, the first that matches is the secret. */
  pattern: RegExp
}

/**
 * The start of a token: after no letter or digit, or after an escape such as `\n`. Every pattern in this file takes
 * linear time, because an unbounded repetition is its last part, or cannot start again inside itself.
 */
const TOKEN_START = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))`
/** The same for a token with parts after its first long run: `-` and `_` must not come before it either. */
const WORD_START = String.raw`(?:(?<![\w-])|(?<=\\[nrt]))`
const TOKEN_END = '(?![A-Za-z0-9])'
/** A digit and a capital among the next 40 characters: a key has them, `sk-fading-circle` does not. */
const DIGIT_AND_CAPITAL = String.raw`(?=[\w-]{0,40}\d)(?=[\w-]{0,40}[A-Z])`

function compilePatterns(...kinds: [name: string, ...forms: string[]][]): TokenPattern[] {
  return kinds.map(([name, ...forms]) => ({ name, pattern: new RegExp(forms.join('|'), 'g') }))
}

/** Secrets with a form of their own, anywhere in a text. */
export const tokenPatterns = compilePatterns(
  ['GitHub token', 'gh[pousr]_[A-Za-z0-9]{20,}', 'github_pat_[A-Za-z0-9_]{20,}'],
  ['GitLab token', String.raw`${TOKEN_START}gl(?:pat|dt|rt|oas|cbt|ptt|ft|imt|agent|soat|ffct)-[\w-]{18,}`],
  ['AWS key', `${TOKEN_START}(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}${TOKEN_END}`],
  ['Slack token', 'xox[abeoprs]-[A-Za-z0-9-]{10,}', String.raw`xapp-\d-[A-Za-z0-9-]{10,}`],
  ['Slack webhook', String.raw`hooks\.slack\.com/(?:services|workflows|triggers)/[\w/-]{16,}`],
  ['Stripe key', `${TOKEN_START}(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}`, `${TOKEN_START}whsec_[A-Za-z0-9+/=]{24,}`],
  [
    'Google key',
    String.raw`${TOKEN_START}AIza[\w-]{30,}`,
    String.raw`${TOKEN_START}ya29\.[\w-]{20,}`,
    String.raw`${TOKEN_START}1//0[\w-]{30,}`,
    String.raw`${TOKEN_START}GOCSPX-[\w-]{20,}`,
  ],
  ['Anthropic key', String.raw`${TOKEN_START}sk-ant-[\w-]{16,}`],
  [
    'OpenAI key',
    String.raw`${TOKEN_START}sk-(?:proj|svcacct|admin)-[\w-]{20,}`,
    String.raw`${TOKEN_START}sk-${DIGIT_AND_CAPITAL}[\w-]{20,}`,
    `${TOKEN_START}sk-[0-9a-f]{32}${TOKEN_END}`,
  ],
  ['npm token', `${TOKEN_START}npm_[A-Za-z0-9]{30,}`],
  ['PyPI token', String.raw`${TOKEN_START}pypi-${DIGIT_AND_CAPITAL}[\w-]{40,}`],
  ['Docker token', String.raw`dckr_(?:pat|oat)_[\w-]{16,}`],
  ['Hugging Face token', `${TOKEN_START}hf_[A-Za-z0-9]{30,}`],
  ['Twilio key', `${TOKEN_START}(?:SK|AC)[0-9a-f]{32}${TOKEN_END}`],
  ['SendGrid key', String.raw`${WORD_START}SG\.[\w-]{16,64}\.[\w-]{16,}`],
  ['Mailgun key', `${WORD_START}key-[0-9a-z]{32}${TOKEN_END}`],
  ['Telegram token', String.raw`${TOKEN_START}\d{8,10}:AA[\w-]{30,}`],
  [
    'Discord token',
    String.raw`${WORD_START}[MNO][\w-]{22,28}\.[\w-]{6}\.[\w-]{27,}`,
    String.raw`discord(?:app)?\.com/api/webhooks/\d{5,30}/[\w-]{20,}`,
  ],
  ['DigitalOcean token', 'do[oprt]_v1_[0-9a-f]{40,}'],
  ['Heroku key', String.raw`HRKU-[\w-]{30,}`],
  ['JSON web token', String.raw`${WORD_START}eyJ[\w-]{8,4096}\.[\w-]{8,8192}\.[\w-]{8,}`],
  ['ntfy token', `${TOKEN_START}tk_[A-Za-z0-9]{24,}`],
  ['Vault token', String.raw`${TOKEN_START}hv[brs]\.[\w-]{24,}`],
  ['Shopify token', 'shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}'],
  ['Square token', String.raw`${TOKEN_START}sq0[a-z]{3}-[\w-]{22,}`],
  ['Atlassian token', String.raw`ATATT3[\w=-]{50,}`],
  ['Grafana token', 'glsa_[A-Za-z0-9]{32}', `${TOKEN_START}glc_[A-Za-z0-9+/=]{32,}`],
  ['Databricks token', `${TOKEN_START}dapi[0-9a-f]{32}`],
  ['Linear key', 'lin_(?:api|oauth)_[A-Za-z0-9]{32,}'],
  ['Notion token', `${TOKEN_START}ntn_[A-Za-z0-9]{40,}`, `${TOKEN_START}secret_[A-Za-z0-9]{43}${TOKEN_END}`],
  ['New Relic key', 'NRAK-[A-Z0-9]{27}'],
  ['Sentry token', 'sntry[su]_[A-Za-z0-9+/=_-]{40,}'],
  ['Supabase token', `${TOKEN_START}sbp_[0-9a-f]{40}`],
  ['PlanetScale token', String.raw`pscale_(?:tkn|pw|oauth)_[\w.-]{30,}`],
  ['Terraform token', String.raw`(?<![\w.])[A-Za-z0-9]{14}\.atlasv1\.[\w-]{50,}`],
  ['Doppler token', String.raw`${TOKEN_START}dp\.(?:pt|st|ct|sa)\.[\w.]{40,}`],
  ['Groq key', `${TOKEN_START}gsk_[A-Za-z0-9]{40,}`],
  ['xAI key', `${TOKEN_START}xai-[A-Za-z0-9]{60,}`],
  ['Replicate token', `${TOKEN_START}r8_[A-Za-z0-9]{36,}`],
  ['Perplexity key', `${TOKEN_START}pplx-[A-Za-z0-9]{40,}`],
  ['Postman key', 'PMAK-[0-9a-f]{24}-[0-9a-f]{34}'],
  ['RubyGems key', 'rubygems_[0-9a-f]{48}'],
  ['Figma token', String.raw`${TOKEN_START}fig[dou]r?_[\w-]{36,}`],
  ['Airtable token', String.raw`${WORD_START}pat[A-Za-z0-9]{14}\.[0-9a-f]{40,}`],
  ['Mailchimp key', String.raw`(?<![0-9a-z])[0-9a-f]{32}-us\d{1,2}${TOKEN_END}`],
  ['age key', 'AGE-SECRET-KEY-1[A-Z0-9]{50,}'],
  // A token that `toOneLine` has cut: too short for its own pattern, too long to be shown.
  [
    'token',
    String.raw`${TOKEN_START}(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|sk-ant-|sk-proj-|[sr]k_live_|AIza|npm_|hf_)[\w-]{6,}(?=…)`,
  ],
)

/** Secrets that are recognized by the words before them. The group is the secret. */
export const contextPatterns = compilePatterns(
  [
    'AWS secret key',
    String.raw`(?:[Ss]ecret|SECRET|[Aa]ws|AWS)[\w.-]{0,40}["']?\s{0,3}[:=]\s{0,3}["']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])`,
  ],
  ['Azure key', '(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{30,}={0,2})', '[?&]sig=([A-Za-z0-9%+/]{40,}={0,2})'],
  [
    'Heroku key',
    String.raw`[Hh](?:eroku|EROKU)[\w.\- "':=]{0,40}?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})`,
  ],
  ['password in an address', String.raw`[A-Za-z0-9+.-]://[^\s:@/"'<>]{0,100}:([^\s@/"'<>[\]]{1,256})@`],
  ['password in an address', String.raw`https?://([^\s:@/"'<>[\]]{16,256})@`],
  ['login', String.raw`[Ll]ogin\s{1,3}[^\s"']{1,100}\s{1,3}password\s{1,3}([^\s"']{1,256})`],
  ['npm login', String.raw`_(?:authToken|auth|password)\s{0,3}=\s{0,3}["']?([^\s"'$]{6,512})`],
  [
    'authorization',
    String.raw`[Aa]uthorization["']?\s{0,3}[:=]\s{0,3}["']?(?:[Bb]asic|[Bb]earer|[Tt]oken|[Dd]igest|[Aa]pi[Kk]ey)\s{1,3}([^\s"',;<>[\]]{6,8192})`,
  ],
)

/** A value whose name says that it is secret: `API_KEY=…`. `isGeneratedValue` decides whether it is one. */
export const namedValuePattern =
  /(passwords?|passwd|passphrase|pwd|secrets?|tokens?|bearer|credentials?|(?:api|access|private|signing|encryption|auth|account|client|master)[_-]?key)(?:[_-](?:key|value|base64|b64|prod|dev))?(?:\\?["'`\]]){0,2}(?:[ \t]{0,4}(?::=|=>|[:=])[ \t]{0,4}|[ \t]{1,4}(?<=bearer[ \t]{1,4}))(?:\\?["'`])?([^\s"'`<>(){}[\],;\\]{8,512})/gi
