// A third-party OpenID provider: prints its issuer, then runs until its standard input ends.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const KEYS = {
  RS256: ['rsa', { modulusLength: 2048 }],
  PS256: ['rsa', { modulusLength: 3072 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  ES384: ['ec', { namedCurve: 'P-384' }],
  EdDSA: ['ed25519', {}],
};
const keys = Object.entries(KEYS).map(([alg, [type, options]]) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: `key-${alg}`,
}));
const algorithms = Object.keys(KEYS);

const server = createServer((request, response) => answer(request, response));
let answer;
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: algorithms.map((alg) => ({
      client_id: `client-${alg}`,
      token_endpoint_auth_method: 'none',
      redirect_uris: ['https://client.example.com/callback'],
      id_token_signed_response_alg: alg,
    })),
    cookies: { keys: ['of a test'] },
    enabledJWA: { idTokenSigningAlgValues: algorithms },
    jwks: { keys },
  });
  answer = provider.callback();
  process.stdout.write(`${issuer}\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
