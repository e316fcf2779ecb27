"""The health adapter: FHIR STU3 messages (NEMS) and HL7 v2 ADT messages into canonical events."""
