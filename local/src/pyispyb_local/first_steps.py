"""The commands that a newcomer pastes: log in, list, ship, run. README shows the same."""

DEFAULT_URL = "http://127.0.0.1:8000"
_STEPS = (
    (
        "Log in as alice, a member of proposal MX1001; the token lasts a quarter of an hour.",
        """\
TOKEN=$(curl -fsS {url}/auth/login -H 'Content-Type: application/json' \\
  -d '{"login": "alice", "password": "alice-demo"}' \\
  | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')""",
    ),
    (
        "List her proposals.",
        """\
curl -fsS -H "Authorization: Bearer $TOKEN" \\
  "{url}/core/proposals?fields=proposalId,proposalCode,proposalNumber,title"\
""",
    ),
    (
        "Ship: book a shipment in MX1001.",
        """\
PROPOSAL=$(curl -fsS -H "Authorization: Bearer $TOKEN" {url}/core/proposals/MX1001 \\
  | python3 -c 'import json, sys; print(json.load(sys.stdin)["proposalId"])')
curl -fsS {url}/core/shippings -H "Authorization: Bearer $TOKEN" \\
  -H 'Content-Type: application/json' -H 'Idempotency-Key: my-first-shipment' \\
  -d '{"proposalId": '"$PROPOSAL"', "shippingName": "my first shipment"}'""",
    ),
    (
        "Run: open a serial-crystallography run in her session on BL1 and send its first images.",
        """\
SESSION=$(curl -fsS -H "Authorization: Bearer $TOKEN" \\
  "{url}/core/sessions?proposalId=$PROPOSAL&beamLineName=BL1&sort=startDate&limit=1" \\
  | python3 -c 'import json, sys; print(json.load(sys.stdin)["results"][0]["sessionId"])')
RUN=$(curl -fsS {url}/ssx/runs -H "Authorization: Bearer $TOKEN" \\
  -H 'Content-Type: application/json' -H 'X-Request-ID: my-first-run' \\
  -d '{"sessionId": '"$SESSION"'}' \\
  | python3 -c 'import json, sys; print(json.load(sys.stdin)["runId"])')
curl -fsS -X PUT {url}/ssx/runs/$RUN/batches/0 -H "Authorization: Bearer $TOKEN" \\
  -H 'Content-Type: application/json' \\
  -d '{"imageNumber": [1, 2, 3], "hit": [true, true, false], "nSpots": [48, 31, 2],
       "indexed": [true, false, false]}'
curl -fsS -H "Authorization: Bearer $TOKEN" {url}/ssx/runs/$RUN/summary""",
    ),
)


def first_steps(url: str = DEFAULT_URL) -> str:
    """The steps as a bash script, a comment before each, to be pasted as they stand."""
    return "\n".join(
        f"# {number}. {title}\n{command.replace('{url}', url)}"
        for number, (title, command) in enumerate(_STEPS, 1)
    )
