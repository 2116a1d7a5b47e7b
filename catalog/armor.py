"""Cloud Armor: the sets of attack signatures it has."""

WAF_RULES = (
    *("sqli-v33-stable", "xss-v33-stable", "lfi-v33-stable", "rfi-v33-stable", "rce-v33-stable"),
    *("methodenforcement-v33-stable", "scannerdetection-v33-stable", "protocolattack-v33-stable"),
    *("sessionfixation-v33-stable", "cve-canary"),
)
"""https://cloud.google.com/armor/docs/waf-rules"""
