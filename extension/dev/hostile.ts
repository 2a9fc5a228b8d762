// Text that would like to be more than text: whatever holds it shows it, and nothing else happens.
export const HOSTILE: readonly string[] = [
  "<script>window.hacked = 1</script>",
  '<img src=x onerror="window.hacked = 1">',
  '</textarea><b onclick="window.hacked = 1">out</b>',
  '<svg onload="window.hacked = 1"></svg>',
  "\u202egnp.exe\u2066",
  "a\u0000b",
  "x".repeat(1_000_000),
  '" onmouseover="window.hacked = 1',
  "javascript:window.hacked=1",
  "{{window.hacked = 1}}",
  "\n\t\r\u2028",
  "</title><iframe srcdoc='<script>top.hacked = 1</script>'></iframe>",
];
