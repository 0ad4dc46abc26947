"""Settings of Django and allauth about signing in that are the same on every machine."""

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "fieldcamp.signin.passwords.ToldLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# allauth's tables and cryptography; its pages do not exist here.
MFA_ADAPTER = "fieldcamp.signin.factors.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "FieldCamp"
MFA_TOTP_TOLERANCE = 1  # steps of 30 s that a telephone's clock may be off
